//! Tells `GraphiQL` that the schema is another one, or why it is not, as server-sent events: only where files are worked on.

use std::convert::Infallible;

use axum::Router;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;

/// What there is to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct News {
    /// Names the GraphQL schema: another one has another name.
    pub(crate) schema: String,
    /// What is wrong with the files as they are.
    pub(crate) problem: Option<String>,
}

pub(super) fn router<S: Clone + Send + Sync + 'static>(news: watch::Receiver<News>) -> Router<S> {
    let told = move || {
        let news = news.clone();
        async move { events(news) }
    };
    Router::new().route("/graphiql/events", get(told))
}

/// The state as it is, and then each change, until the service stops.
fn events(
    mut news: watch::Receiver<News>,
) -> Sse<impl stream::Stream<Item = Result<Event, Infallible>>> {
    news.mark_changed();
    let events = stream::unfold(news, async |mut news| {
        news.changed().await.ok()?;
        let text = serde_json::to_string(&*news.borrow_and_update()).unwrap_or_default();
        Some((Ok(Event::default().data(text)), news))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
