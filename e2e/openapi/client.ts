// The client of an app: openapi-fetch over the types that openapi-typescript makes of the
// contract. What a team writes itself is this file; all else is generated.
import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./build/schema.d.ts";

export type Address = components["schemas"]["Address"];
export type Problem = components["schemas"]["Problem"];
export type Item = components["schemas"]["SyncItem"];

/** What an app sends with every request: which app it is, and where its user shops. */
export interface Device {
  readonly platform: "ios" | "android";
  readonly version: string;
  readonly language: string;
  readonly currency: string;
}

/** A refused request: the problem of the answer, for a program to decide by. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly headers: Headers,
  ) {
    super(`${status} ${problem.type}: ${problem.detail ?? problem.title}`);
  }
}

/** A client of the mobile channel at base. saw hears of each answer. */
export function connect(base: string, device: Device, saw: (request: Request, response: Response) => void) {
  const client = createClient<paths>({ baseUrl: base });
  const middleware: Middleware = {
    onRequest({ request }) {
      request.headers.set("X-Platform", device.platform);
      request.headers.set("X-App-Version", device.version);
      request.headers.set("Accept-Language", device.language);
      request.headers.set("X-Currency", device.currency);
      return request;
    },
    onResponse({ request, response }) {
      saw(request, response);
      return response;
    },
  };
  client.use(middleware);
  return client;
}

export type Client = ReturnType<typeof connect>;

/** The key of a tap: made when the user taps, kept until the answer is there, and sent again with every attempt. */
export function tap(): { readonly "Idempotency-Key": string } {
  return { "Idempotency-Key": randomUUID() };
}

/** What an answer carries when it is no problem. */
type Outcome<T> = { data?: T; error?: Problem | undefined; response: Response };

/** The data of an answer. Throws Refused when it is a problem. */
export function must<T>(outcome: Outcome<T>): T {
  if (outcome.error !== undefined) {
    throw new Refused(outcome.response.status, outcome.error, outcome.response.headers);
  }
  if (outcome.data === undefined) {
    throw new Error(`${outcome.response.status}: neither data nor a problem`);
  }
  return outcome.data;
}

/** The problem of an answer that has to be one of this status. */
export function refused(outcome: Outcome<unknown>, status: number): Problem {
  if (outcome.error === undefined || outcome.response.status !== status) {
    throw new Error(`${outcome.response.status} where ${status} was expected`);
  }
  return outcome.error;
}
