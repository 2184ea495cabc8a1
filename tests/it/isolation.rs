//! The isolation contract: whoever asks, at whatever host, gets rows of that host's tenant or none at all.

mod access;
mod concurrency;
mod database;
mod forgery;
mod identities;
mod leftovers;
mod policies;
mod statements;
