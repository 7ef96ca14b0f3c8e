/** Answers nothing yet: the composition root takes this file's place. */
export default {
  fetch(): Response {
    return new Response(null, { status: 404 });
  },
} satisfies ExportedHandler;
