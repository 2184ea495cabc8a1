//! The service from the outside: real processes, a real Postgres, and requests as customers send them.

mod harness;

mod golden;
mod isolation;
mod pooler;
