// What GraphiQL calls for each operation: the request, with the token of whoever is signed in.
import { post, requestHeaders } from "./request.js";
import { currentSession, endSession } from "./session.js";

export async function fetcher(params, options) {
  const token = currentSession()?.token ?? null;
  const own = new Headers(options?.headers ?? {});
  const body = { ...params, operationName: knownOperation(params) };
  const response = await post(body, merged(requestHeaders(token), own));

  // With an Authorization typed into the headers tab the refusal isn't about our token.
  if (!token || own.has("Authorization") || !isUnauthenticated(response)) return response;
  endSession(token);
  // Introspection is public: an expired token must not leave the page without a schema.
  return params.operationName === "IntrospectionQuery" ? post(body, merged(requestHeaders(null), own)) : response;
}

/** GraphiQL notices a new operation name half a second late; until then it sends the name of the text before. */
function knownOperation({ query, operationName }) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(query) ? operationName : undefined;
}

function merged(headers, own) {
  own.forEach((value, name) => headers.set(name, value));
  return headers;
}

function isUnauthenticated(response) {
  return response.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED") ?? false;
}
