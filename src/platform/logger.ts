import {
  configureSync,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogLevel,
  type Logger as LogtapeLogger,
  type Sink,
} from "@logtape/logtape";
import { EMAIL_ADDRESS_PATTERN, JWT_PATTERN, redactByField, redactByPattern, type RedactionPattern } from "@logtape/redaction";

/** Facts that go with a log line. Values of secret fields, and secrets inside any text, are redacted. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines: one JSON object each, with its fields, through one place that redacts. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry these fields too. */
  with(fields: LogFields): Logger;
}

const REDACTED = "[redacted]";

/** Fields whose value is never logged, whatever it looks like. */
const SECRET_FIELDS: readonly (string | RegExp)[] = [
  /authorization/i,
  /password/i,
  /secret/i,
  /^(jwt|token|bearer)$/i,
  /token$/i,
  /private.?key/i,
  /^(qr|code|credential|receipt|nonce)$/i,
  /signature/i,
  /idempotency.?key/i,
  /^wire/i,
  /e-?mail/i,
];

/** Secrets recognised by their shape inside any text: webhook secrets and signatures, long signed codes. */
const SECRET_SHAPES: readonly RedactionPattern[] = [
  EMAIL_ADDRESS_PATTERN,
  JWT_PATTERN,
  { pattern: /whsec_[A-Za-z0-9+/=_-]+/g, replacement: REDACTED },
  { pattern: /\bv1a?,[A-Za-z0-9+/]{20,}={0,2}/g, replacement: REDACTED },
  // Stripe's: signatures, keys, and what lets a browser pay a payment.
  { pattern: /\bv[01]=[0-9a-f]{20,}/g, replacement: REDACTED },
  { pattern: /\b[sr]k_(?:live|test)_\w+/g, replacement: REDACTED },
  { pattern: /_secret_\w+/g, replacement: REDACTED },
  { pattern: /[A-Za-z0-9_-]{120,}/g, replacement: REDACTED },
];

let configuredLevel: LogLevel | undefined;

/** Sets the lowest level that is logged; the first call in an isolate, and one with another level, configures the log. */
export function configureLog(level: LogLevel): void {
  if (configuredLevel === level) return;
  configuredLevel = level;
  const formatter = redactByPattern(getJsonLinesFormatter({ properties: "flatten", message: "template" }), [...SECRET_SHAPES]);
  const sink: Sink = redactByField(getConsoleSink({ formatter }), {
    fieldPatterns: [...SECRET_FIELDS],
    action: () => REDACTED,
  });
  configureSync({
    reset: true,
    sinks: { console: sink },
    loggers: [
      { category: ["tickets"], lowestLevel: level, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    ],
  });
}

/** A logger whose lines name the part of the service they come from. */
export function createLogger(component: string): Logger {
  if (configuredLevel === undefined) configureLog("info");
  return wrap(getLogger(["tickets", component]));
}

function wrap(logger: LogtapeLogger): Logger {
  return {
    // Asked first, because most requests say something at this level and it is hardly ever on.
    debug: (message, fields = {}) => {
      if (logger.isEnabledFor("debug")) logger.debug(message, plain(fields));
    },
    info: (message, fields = {}) => logger.info(message, plain(fields)),
    warn: (message, fields = {}) => logger.warn(message, plain(fields)),
    error: (message, fields = {}) => logger.error(message, plain(fields)),
    with: (fields) => wrap(logger.with(plain(fields))),
  };
}

/** Errors become their name and message: a stack in a log line helps nobody who reads JSON, and may hold a query. */
function plain(fields: LogFields): Record<string, unknown> {
  const { error, ...rest } = fields;
  if (error === undefined) return rest;
  return { ...rest, error: describeError(error) };
}

/** A failed query's own message holds its SQL and parameters, so the database's is taken; a refusal is told by its code. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return isRefusal(error) ? error.code : String(error);
  if (!("query" in error && "params" in error)) return `${error.name}: ${error.message}`;
  return `${error.name}: ${error.cause instanceof Error ? error.cause.message : "no cause"}`;
}

function isRefusal(error: unknown): error is { readonly code: string } {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string";
}
