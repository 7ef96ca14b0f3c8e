import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";

/** Largest body the service reads, in bytes. */
export const LARGEST_BODY_BYTES = 65_536;

/**
 * The body's bytes exactly as they came, or `body_too_large`; reads no more than it must, whatever the length header says. A body
 * whose sender went away half-way is `malformed_json`: it is nobody's fault here, and nobody is left to hear more.
 */
export async function readBytes(request: Request): Promise<Result<Uint8Array, Failure>> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > LARGEST_BODY_BYTES) return refuse({ code: "body_too_large" });
  try {
    // The HTTP parser holds a body to the length it declares, so there is no need to count the pieces, nor to make a stream.
    return declared >= 0 ? succeed(new Uint8Array(await request.arrayBuffer())) : await readPieces(request);
  } catch {
    return refuse({ code: "malformed_json" });
  }
}

async function readPieces(request: Request): Promise<Result<Uint8Array, Failure>> {
  if (!request.body) return succeed(new Uint8Array());
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader(); // a body is bytes
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > LARGEST_BODY_BYTES) {
      await reader.cancel();
      return refuse({ code: "body_too_large" });
    }
    chunks.push(value);
  }
  return succeed(joinChunks(chunks, length));
}

function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only) return only;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** The body as JSON. Refuses `unsupported_media_type`, `body_too_large` and `malformed_json` (also for text that is not UTF-8). */
export async function readJson(request: Request): Promise<Result<unknown, Failure>> {
  if (!isJson(request)) return refuse({ code: "unsupported_media_type" });
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  return parseJson(bytes.value);
}

/** As {@link readJson}, for a body that may be left out: no bytes are an empty object, whatever the headers say. */
export async function readOptionalJson(request: Request): Promise<Result<unknown, Failure>> {
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return succeed({});
  return isJson(request) ? parseJson(bytes.value) : refuse({ code: "unsupported_media_type" });
}

/** Nobody here unpacks a body: one that says it is packed is refused, not read as it came (RFC 9110, 15.5.16). */
function isJson(request: Request): boolean {
  const coding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return (
    (coding === "" || coding === "identity") && /^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")
  );
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as JSON, or `malformed_json`: also for half of a surrogate pair, which storage would keep as something else (RFC 8259, 8.2). */
export function parseJson(bytes: Uint8Array): Result<unknown, Failure> {
  try {
    const text = strictUtf8.decode(bytes);
    // The bytes are UTF-8, so half a pair can only be in an escape.
    const parsed: unknown = text.includes(String.raw`\u`) ? JSON.parse(text, assertWholePairs) : JSON.parse(text);
    return succeed(parsed);
  } catch {
    return refuse({ code: "malformed_json" });
  }
}

function assertWholePairs(_key: string, value: unknown): unknown {
  if (typeof value === "string" && !value.isWellFormed()) throw new TypeError("half of a surrogate pair");
  return value;
}
