/** An answer of the service, its body parsed when it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The contract types bodies; here each caller checks what it reads.
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a call sends besides its path. */
export interface Call {
  readonly token?: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

/** Calls one service over HTTP with JSON. */
export function createHttpClient(baseUrl: string): (method: string, path: string, call?: Call) => Promise<Answer> {
  return async (method, path, call = {}) => {
    const headers = new Headers();
    if (call.token !== undefined) headers.set("authorization", `Bearer ${call.token}`);
    if (call.idempotencyKey !== undefined) headers.set("idempotency-key", call.idempotencyKey);
    if (call.body !== undefined) headers.set("content-type", "application/json");
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parseObject(text) };
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
