// One GraphQL request to this origin, by GraphQL over HTTP.

/** Resolves to a GraphQL response in every case but a lost connection. The browser sends the session's cookies along. */
export async function post(params, headers) {
  const all = new Headers({
    Accept: "application/graphql-response+json, application/json",
    "Content-Type": "application/json",
  });
  headers?.forEach((value, name) => all.set(name, value));
  const response = await fetch("/graphql", { method: "POST", headers: all, body: JSON.stringify(params) });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in front of the service may answer with a page of its own.
    return { errors: [{ message: `The server answered with HTTP ${response.status} and no JSON.` }] };
  }
}

export function isUnauthenticated(response) {
  return response.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED") ?? false;
}
