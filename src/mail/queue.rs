//! Mails that wait, in a line for each tenant: the lines take turns, so that whoever sends many delays nobody else's.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Mail;

/// Mails of one line that may wait.
const MOST_OF_ONE: usize = 1000;

/// Mails that may wait at all.
const MOST: usize = 20_000;

/// The seconds before each further try.
const RETRIES: [u64; 5] = [1, 5, 30, 120, 600];

/// A mail, and how often it has been tried.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) mail: Mail,
    tries: usize,
    /// Handed out when nothing was to be tried again.
    last: bool,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: HashMap<String, VecDeque<Waiting>>,
    /// The lines in which somebody is ready, the next one first.
    order: VecDeque<String>,
    /// What is tried again, and when; the number tells apart what is due in the same moment.
    later: BTreeMap<(Instant, u64), Waiting>,
    /// Of each line, how many have not been delivered, those on their way included.
    pending: HashMap<String, usize>,
    total: usize,
    number: u64,
    /// Nothing waits for another try any more.
    stopping: bool,
}

/// What there is to do.
pub(super) enum Next {
    Send(Waiting),
    /// Nothing before then.
    At(Instant),
    Nothing,
}

/// What becomes of a mail that was not taken.
pub(super) enum Failed {
    /// It is tried again after so long.
    Again(Duration),
    Lost,
}

impl Queue {
    /// Takes a mail, unless too many wait.
    pub(super) fn push(&mut self, mail: Mail) -> Result<(), Box<Mail>> {
        let line = mail.line();
        let pending = self.pending.get(&line).copied().unwrap_or_default();
        if pending >= MOST_OF_ONE || self.total >= MOST {
            return Err(Box::new(mail));
        }
        self.pending.insert(line, pending + 1);
        self.total += 1;
        self.line_up(Waiting {
            mail,
            tries: 0,
            last: false,
        });
        Ok(())
    }

    /// The mail whose turn it is. It counts as waiting until [`Queue::done`] or [`Queue::failed`].
    pub(super) fn next(&mut self, now: Instant) -> Next {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now && !self.stopping {
                break;
            }
            let waiting = entry.remove();
            self.line_up(waiting);
        }
        let Some(line) = self.order.pop_front() else {
            let due = self.later.first_key_value().map(|((due, _), _)| *due);
            return due.map_or(Next::Nothing, Next::At);
        };
        let mails = self.ready.get_mut(&line);
        let Some(mut waiting) = mails.and_then(VecDeque::pop_front) else {
            return Next::Nothing;
        };
        waiting.last = self.stopping;
        if self.ready.get(&line).is_some_and(VecDeque::is_empty) {
            self.ready.remove(&line);
        } else {
            self.order.push_back(line);
        }
        Next::Send(waiting)
    }

    /// It was delivered, or given up.
    pub(super) fn done(&mut self, mail: &Mail) {
        let line = mail.line();
        self.total -= 1;
        if let Some(pending) = self.pending.get_mut(&line) {
            *pending -= 1;
            if *pending == 0 {
                self.pending.remove(&line);
            }
        }
    }

    /// It was not taken.
    pub(super) fn failed(&mut self, waiting: Waiting, now: Instant) -> Failed {
        let pause = RETRIES.get(waiting.tries).filter(|_| !waiting.last);
        let Some(pause) = pause.copied().map(Duration::from_secs) else {
            self.done(&waiting.mail);
            return Failed::Lost;
        };
        self.number += 1;
        let tries = waiting.tries + 1;
        let waiting = Waiting { tries, ..waiting };
        self.later.insert((now + pause, self.number), waiting);
        Failed::Again(pause)
    }

    /// Has what waits for another try be tried at once, and for the last time.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How many have not been delivered.
    pub(super) fn len(&self) -> usize {
        self.total
    }

    fn line_up(&mut self, waiting: Waiting) {
        let line = waiting.mail.line();
        let mails = self.ready.entry(line.clone()).or_default();
        if mails.is_empty() {
            self.order.push_back(line);
        }
        mails.push_back(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mail_of;
    use super::*;

    fn sent(queue: &mut Queue, now: Instant) -> Option<Waiting> {
        match queue.next(now) {
            Next::Send(waiting) => Some(waiting),
            Next::At(_) | Next::Nothing => None,
        }
    }

    #[test]
    fn lines_take_turns() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for (tenant, to) in [(1, "a"), (1, "b"), (1, "c"), (2, "d"), (0, "e"), (2, "f")] {
            queue.push(mail_of(tenant, to)).unwrap();
        }
        let order: Vec<_> = std::iter::from_fn(|| sent(&mut queue, now))
            .map(|waiting| waiting.mail.to)
            .collect();
        assert_eq!(order, ["a", "d", "e", "b", "f", "c"]);
        assert_eq!(queue.len(), 6, "none of them has arrived");
    }

    #[test]
    fn a_tenant_fills_its_own_line() {
        let mut queue = Queue::default();
        for _ in 0..MOST_OF_ONE {
            queue.push(mail_of(1, "a")).unwrap();
        }
        assert!(queue.push(mail_of(1, "a")).is_err());
        queue.push(mail_of(2, "b")).unwrap();
        // What is about no tenant is in the line of whom it goes to.
        for _ in 0..MOST_OF_ONE {
            queue.push(mail_of(0, "c")).unwrap();
        }
        assert!(queue.push(mail_of(0, "C")).is_err());
        queue.push(mail_of(0, "d")).unwrap();
        let first = sent(&mut queue, Instant::now()).unwrap();
        queue.done(&first.mail);
        queue.push(mail_of(1, "a")).unwrap();
    }

    #[test]
    fn what_fails_is_tried_again_later_and_given_up_at_last() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.push(mail_of(1, "a")).unwrap();
        for pause in RETRIES {
            let waiting = sent(&mut queue, now).unwrap();
            let Failed::Again(after) = queue.failed(waiting, now) else {
                panic!("given up")
            };
            assert_eq!(after.as_secs(), pause);
            assert!(matches!(queue.next(now), Next::At(at) if at == now + after));
            now += after;
        }
        let waiting = sent(&mut queue, now).unwrap();
        assert!(matches!(queue.failed(waiting, now), Failed::Lost));
        assert!(queue.is_empty());
    }

    #[test]
    fn at_the_end_all_are_tried_once_more() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for to in ["a", "b"] {
            queue.push(mail_of(1, to)).unwrap();
        }
        let waiting = sent(&mut queue, now).unwrap();
        queue.failed(waiting, now);
        queue.stop();
        let order: Vec<_> = std::iter::from_fn(|| sent(&mut queue, now)).collect();
        assert_eq!(order.len(), 2);
        for waiting in order {
            assert!(matches!(queue.failed(waiting, now), Failed::Lost));
        }
        assert!(queue.is_empty());
    }
}
