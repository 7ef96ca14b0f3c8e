/** A `.sql` file imported by a Durable Object is its text (the Text rule of wrangler.toml). */
declare module "*.sql" {
  const text: string;
  export default text;
}
