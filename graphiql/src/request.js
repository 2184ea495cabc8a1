// One GraphQL request to this origin, by GraphQL over HTTP.

/** Resolves to a GraphQL response in every case but a lost connection. */
export async function post(params, headers) {
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(params) });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in front of the service may answer with a page of its own.
    return { errors: [{ message: `The server answered with HTTP ${response.status} and no JSON.` }] };
  }
}

/** The headers of every request; `token` may be null. */
export function requestHeaders(token) {
  const headers = new Headers({
    Accept: "application/graphql-response+json, application/json",
    "Content-Type": "application/json",
  });
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return headers;
}
