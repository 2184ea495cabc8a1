// What GraphiQL calls for each operation: the request, on behalf of whoever is signed in.
import { isUnauthenticated, post } from "./request.js";
import { currentSession, hasExpired, refresh } from "./session.js";

export async function fetcher(params, options) {
  const headers = new Headers(options?.headers ?? {});
  const body = { ...params, operationName: knownOperation(params) };
  let session = currentSession();
  // An Authorization typed into the headers tab takes precedence over cookies, so a refusal isn't about the session.
  if (!session || headers.has("Authorization")) return post(body, headers);

  // The browser drops an expired token, and what is public would be answered as if to nobody.
  if (hasExpired(session)) {
    await refresh(session);
    session = currentSession();
  }
  const response = await post(body, headers);
  if (!session || !isUnauthenticated(response)) return response;
  await refresh(session);
  // Asked again even if the session has ended: introspection is public, and the page must not be left without a schema.
  return currentSession() === session ? response : post(body, headers);
}

/** GraphiQL notices a new operation name half a second late; until then it sends the name of the text before. */
function knownOperation({ query, operationName }) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(query) ? operationName : undefined;
}
