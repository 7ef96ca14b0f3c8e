/** A value of a form-encoded request: `a[b]=1` is an object in `a`, `a[0]=1` or `a[]=1` too, with those keys. */
export type FormValue = string | FormFields;

/** Parsed fields by name. */
export interface FormFields {
  readonly [name: string]: FormValue;
}

const MAX_DEPTH = 8;

/** Parses `application/x-www-form-urlencoded` as Stripe nests it. Unbalanced brackets are part of a name, as there. */
export function parseForm(text: string): FormFields {
  const fields: Record<string, FormValue> = Object.create(null) as Record<string, FormValue>; // keys are the caller's
  for (const [key, value] of new URLSearchParams(text)) setAt(fields, pathOf(key), value);
  return fields;
}

/** The text of a field, or undefined. */
export function textOf(fields: FormFields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

/** The fields below a name; none when it is left out. */
export function fieldsOf(fields: FormFields, name: string): FormFields {
  const value = fields[name];
  return typeof value === "object" ? value : {};
}

/** The texts below a name, such as a metadata object or an array's items. */
export function textsOf(fields: FormFields, name: string): Record<string, string> {
  const entries = Object.entries(fieldsOf(fields, name)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

function pathOf(key: string): string[] {
  const matched = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(key);
  if (!matched) return [key];
  const [, head = "", tail = ""] = matched;
  return [head, ...[...tail.matchAll(/\[([^[\]]*)\]/g)].map(([, part = ""]) => part)].slice(0, MAX_DEPTH);
}

function setAt(fields: Record<string, FormValue>, path: readonly string[], value: string): void {
  const [head = "", ...rest] = path;
  const name = head === "" ? String(Object.keys(fields).length) : head;
  if (rest.length === 0) {
    fields[name] = value;
    return;
  }
  const existing = fields[name];
  const inner: Record<string, FormValue> = typeof existing === "object" ? { ...existing } : {};
  setAt(inner, rest, value);
  fields[name] = inner;
}
