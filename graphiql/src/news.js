// What `tenantry dev` tells this page while it is open: that the schema is another one, or why it is not.

/**
 * Calls `changed()` when the schema is not `known` any more, and `problem(text)` with what is wrong with the SQL
 * files, or null. Returns what ends it.
 */
export function listen(known, { changed, problem }) {
  let source = null;
  // A browser has few connections for one origin, so that hidden tabs do without; the first event tells all that they missed.
  const follow = () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      source = new EventSource("/graphiql/events");
      source.onmessage = (event) => hear(JSON.parse(event.data));
    }
  };
  const hear = (news) => {
    problem(news.problem);
    if (news.schema === known) return;
    known = news.schema;
    changed();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    source?.close();
  };
}
