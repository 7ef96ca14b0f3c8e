/** An HTTP/1.1 answer, its body as Latin-1 text. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = "\r\n\r\n";
/** The last chunk of a chunked body (RFC 9112, section 7.1), with no trailer after it. */
const LAST_CHUNK = "0\r\n\r\n";

/** Reads answers, one after the other, from the bytes of a keep-alive connection (RFC 9112). */
export class AnswerReader {
  readonly #onAnswer: (answer: HttpAnswer) => void;
  #text = "";

  constructor(onAnswer: (answer: HttpAnswer) => void) {
    this.#onAnswer = onAnswer;
  }

  /** Takes the next bytes; calls back once an answer is whole. Requests are not pipelined, so one answer waits at most. */
  push(chunk: Buffer): void {
    this.#text += chunk.toString("latin1");
    const answer = readAnswer(this.#text);
    if (answer === undefined) return;
    this.#text = "";
    this.#onAnswer(answer);
  }
}

function readAnswer(text: string): HttpAnswer | undefined {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const status = Number(text.slice(9, 12));
  const head = text.slice(0, headEnd);
  const body = text.slice(headEnd + HEAD_END.length);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length) ? { status, body } : undefined;
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return body.endsWith(LAST_CHUNK) ? { status, body } : undefined;
  return { status, body };
}
