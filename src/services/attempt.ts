import { refuse, succeed, type Result } from "#domain/result";

/** Waits for a call that may fail because its platform is down, and gives the failure as data: for callers that know another way. */
export async function attempt<T>(call: Promise<T>): Promise<Result<T, unknown>> {
  try {
    return succeed(await call);
  } catch (error) {
    return refuse(error);
  }
}
