//! Postgres' wire protocol for sessions: a whole transaction goes out as one train of messages with
//! one Sync at its end, so that the server answers once, and the request's own task reads it.
//! <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY>

use std::fmt::{Display, Write as _};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend::{self, BindError};
use postgres_protocol::{IsNull, Oid};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _};

use super::answer::ServerError;
use crate::plan::Bound;
use crate::postgres::Stream;
use crate::rows::Rows;

/// Room for an answer of ordinary size.
const ROOM: usize = 16 * 1024;

/// For so many rows there is room from the beginning.
const USUAL_ROWS: usize = 32;

/// The most bytes of one answer. Nobody is sent so much; what builds it up is stopped.
const LARGEST: usize = 256 * 1024 * 1024;

const TEXT: i16 = 0;
const BINARY: i16 = 1;
const TEXT_OID: Oid = 25;

/// A connection after its login.
pub(super) struct Wire {
    stream: Stream,
    /// What has not been sent yet.
    out: BytesMut,
    /// What has come, and how much of it has been looked at.
    inbox: BytesMut,
    seen: usize,
    /// A Sync has been written whose answer has not been seen.
    waiting: bool,
    /// The state of the transaction when the server was last ready.
    status: Status,
}

/// What the server says of its transaction when it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Idle,
    InTransaction,
}

/// What one train of messages brought.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// How many statements have been executed to their end.
    pub(super) done: usize,
    /// Why the next one was not.
    pub(super) error: Option<Box<ServerError>>,
    bytes: Bytes,
    /// How many statements there are before those whose rows are wanted.
    skipped: usize,
    /// Where rows start, and after each statement, how many there are.
    starts: Vec<u32>,
    ends: Vec<usize>,
}

/// The connection cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the server ended the connection: {0}")]
    Ended(Box<ServerError>),
    #[error("the server said what was not expected: {0:?}")]
    Unexpected(char),
    #[error("the answer has more than {LARGEST} bytes")]
    TooLarge,
}

impl Answer {
    /// The rows of each statement, without the first ones whose rows nobody wanted.
    pub(super) fn into_rows(self) -> impl Iterator<Item = Rows> {
        let Self {
            bytes,
            mut starts,
            ends,
            ..
        } = self;
        let (mut begin, last) = (0, ends.len().saturating_sub(1));
        ends.into_iter().enumerate().map(move |(statement, end)| {
            let own = match statement {
                // Mostly there is one statement, whose rows need no copying.
                0 if last == 0 => std::mem::take(&mut starts),
                _ => starts[begin..end].to_vec(),
            };
            begin = end;
            Rows::new(bytes.clone(), own)
        })
    }
}

/// Writing messages. They are kept until [`Wire::exchange`].
impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            out: BytesMut::with_capacity(ROOM),
            inbox: BytesMut::with_capacity(ROOM),
            seen: 0,
            waiting: false,
            status: Status::Idle,
        }
    }

    /// Has a statement analysed; its parameters' types are what it casts them to.
    pub(super) fn parse(&mut self, name: &str, statement: &str) -> io::Result<()> {
        frontend::parse(name, statement, [], &mut self.out)
    }

    /// The same for a statement whose parameters are all of type text.
    pub(super) fn parse_texts(
        &mut self,
        name: &str,
        statement: &str,
        parameters: usize,
    ) -> io::Result<()> {
        let types = std::iter::repeat_n(TEXT_OID, parameters);
        frontend::parse(name, statement, types, &mut self.out)
    }

    /// Executes a statement, whose rows come in binary.
    pub(super) fn execute<'a>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = &'a Bound> + Clone,
    ) -> io::Result<()> {
        let formats = values.clone().map(|value| match value {
            Bound::Binary(_) => BINARY,
            Bound::Text(_) | Bound::Number(_) | Bound::Null => TEXT,
        });
        let write = |value: &Bound, out: &mut BytesMut| {
            match value {
                Bound::Null => return Ok(IsNull::Yes),
                Bound::Number(number) => {
                    out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
                }
                Bound::Text(text) => out.extend_from_slice(text.as_bytes()),
                Bound::Binary(bytes) => out.extend_from_slice(bytes),
            }
            Ok(IsNull::No)
        };
        bind(name, formats, values, write, &mut self.out)?;
        frontend::execute("", 0, &mut self.out)
    }

    /// Executes a statement with texts for values.
    pub(super) fn execute_with<const N: usize>(
        &mut self,
        name: &str,
        values: [&dyn Display; N],
    ) -> io::Result<()> {
        let write = |value: &dyn Display, out: &mut BytesMut| {
            write!(out, "{value}").map_err(io::Error::other)?;
            Ok(IsNull::No)
        };
        bind(name, [], values, write, &mut self.out)?;
        frontend::execute("", 0, &mut self.out)
    }

    /// The same, with null for what is empty.
    pub(super) fn execute_with_nulls<'v>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = &'v dyn Display>,
    ) -> io::Result<()> {
        let write = |value: &dyn Display, out: &mut BytesMut| {
            let before = out.len();
            write!(out, "{value}").map_err(io::Error::other)?;
            Ok(if out.len() == before {
                IsNull::Yes
            } else {
                IsNull::No
            })
        };
        bind(name, [], values, write, &mut self.out)?;
        frontend::execute("", 0, &mut self.out)
    }

    /// Has the server forget a statement.
    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        frontend::close(b'S', name, &mut self.out)
    }

    pub(super) fn sync(&mut self) {
        frontend::sync(&mut self.out);
        self.waiting = true;
    }
}

fn bind<T>(
    name: &str,
    formats: impl IntoIterator<Item = i16>,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut BytesMut) -> io::Result<IsNull>,
    out: &mut BytesMut,
) -> io::Result<()> {
    let write = |value, out: &mut BytesMut| Ok(write(value, out)?);
    frontend::bind("", name, formats, values, write, [BINARY], out).map_err(|error| match error {
        BindError::Conversion(error) => io::Error::other(error),
        BindError::Serialization(error) => error,
    })
}

/// Sending and receiving.
impl Wire {
    /// Sends what was written, and reads until the server is ready again. The rows of the first
    /// statements, which are `skipped`, are not kept.
    ///
    /// It can be dropped half-way: [`Wire::finish`] then goes on.
    pub(super) async fn exchange(&mut self, skipped: usize) -> Result<Answer, Broken> {
        let mut answer = Answer {
            skipped,
            ..Answer::default()
        };
        let result = poll_fn(|context| self.poll_exchange(context, &mut answer)).await;
        match (result, answer.error) {
            (Ok(()), error) => Ok(Answer { error, ..answer }),
            // Its last words, such as "terminating connection due to administrator command".
            (Err(Broken::Io(_)), Some(error)) => Err(Broken::Ended(error)),
            (Err(error), _) => Err(error),
        }
    }

    /// Reads, sends and reads in turn, for a server that is busy answering takes nothing.
    fn poll_exchange(
        &mut self,
        context: &mut Context<'_>,
        answer: &mut Answer,
    ) -> Poll<Result<(), Broken>> {
        loop {
            if self.read(answer)? {
                return Poll::Ready(Ok(()));
            }
            let blocked = self.poll_send(context)?.is_pending();
            let received = self.poll_receive(context)?;
            if received.is_pending() && (blocked || self.out.is_empty()) {
                return Poll::Pending;
            }
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.out.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.out))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.out.advance(sent),
            }
        }
        // The buffer's memory is used again.
        self.out.clear();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.inbox.capacity() - self.inbox.len() < ROOM / 4 {
            self.inbox.reserve(ROOM);
        }
        let read = pin!(self.stream.read_buf(&mut self.inbox));
        match ready!(read.poll(context))? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Looks at the messages that have come. True at the last one.
    fn read(&mut self, answer: &mut Answer) -> Result<bool, Broken> {
        while let Some(header) = self.inbox[self.seen..].first_chunk::<5>() {
            let [tag, length @ ..] = *header;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            let (start, end) = (
                self.seen + header.len(),
                self.seen.saturating_add(1 + length),
            );
            if end < start {
                return Err(Broken::Unexpected(tag.into()));
            }
            if end > LARGEST {
                return Err(Broken::TooLarge);
            }
            if self.inbox.len() < end {
                self.inbox.reserve(end - self.inbox.len());
                return Ok(false);
            }
            match tag {
                b'D' if answer.done < answer.skipped => {}
                b'D' => {
                    if answer.starts.capacity() == 0 {
                        answer.starts.reserve(USUAL_ROWS);
                    }
                    answer.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
                }
                // CommandComplete, EmptyQueryResponse
                b'C' | b'I' => {
                    if answer.done >= answer.skipped {
                        answer.ends.push(answer.starts.len());
                    }
                    answer.done += 1;
                }
                b'E' => answer.error = answer.error.take().or(Some(self.error(end)?)),
                b'Z' => {
                    self.status = match self.inbox[start..end] {
                        [b'I'] => Status::Idle,
                        _ => Status::InTransaction,
                    };
                    answer.bytes = self.inbox.split_to(end).freeze();
                    self.seen = 0;
                    self.waiting = false;
                    return Ok(true);
                }
                // ParseComplete, BindComplete, CloseComplete, NoData, NoticeResponse,
                // NotificationResponse, ParameterStatus
                b'1' | b'2' | b'3' | b'n' | b'N' | b'A' | b'S' => {}
                other => return Err(Broken::Unexpected(other.into())),
            }
            self.seen = end;
        }
        Ok(false)
    }

    fn error(&self, end: usize) -> Result<Box<ServerError>, Broken> {
        let mut message = BytesMut::from(&self.inbox[self.seen..end]);
        match Message::parse(&mut message)? {
            Some(Message::ErrorResponse(body)) => Ok(Box::new(ServerError::read(&body)?)),
            _ => Err(Broken::Unexpected('E')),
        }
    }

    /// Nothing is under way, and the server is in no transaction.
    pub(super) fn is_idle(&self) -> bool {
        !self.waiting && self.out.is_empty() && self.status == Status::Idle
    }

    /// Brings what is under way to its end, and the transaction too.
    pub(super) async fn finish(&mut self) -> Result<(), Broken> {
        if self.waiting {
            self.exchange(usize::MAX).await?;
        }
        // Messages of a train that was never closed are forgotten.
        self.out.clear();
        if self.status != Status::Idle {
            frontend::query("rollback", &mut self.out)?;
            self.waiting = true;
            self.exchange(usize::MAX).await?;
        }
        if self.is_idle() {
            Ok(())
        } else {
            Err(Broken::Unexpected('Z'))
        }
    }

    /// Whether the server has not gone away meanwhile, as far as is known without asking it.
    pub(super) fn is_alive(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        match self.poll_receive(&mut context) {
            // What comes unasked is a notice, a changed setting, or a farewell.
            Poll::Ready(Ok(())) => {
                let mut answer = Answer::default();
                self.read(&mut answer).is_ok() && answer.error.is_none()
            }
            Poll::Ready(Err(_)) => false,
            Poll::Pending => true,
        }
    }
}

/// Says goodbye, if that can be done at once.
impl Drop for Wire {
    fn drop(&mut self) {
        if self.is_idle() {
            frontend::terminate(&mut self.out);
            let mut context = Context::from_waker(Waker::noop());
            let _ = self.poll_send(&mut context);
        }
    }
}

#[cfg(test)]
mod tests;
