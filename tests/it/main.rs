//! The service from the outside: real processes, a real Postgres, and requests as customers send them.

mod harness;

mod access;
mod api_keys;
mod audit;
mod dashboards;
mod dev;
mod differential;
mod documents;
mod domains;
mod functions;
mod fuzz;
mod golden;
mod grants;
mod guesses;
mod isolation;
mod limits;
mod members;
mod mutations;
mod oidc;
mod operators;
mod pooler;
mod public_schema;
mod rates;
mod round_trips;
mod schema;
mod serve;
mod service;
mod sessions;
mod shared;
mod sign_up;
mod story;
mod tenants;
mod transport;
mod types;
mod views;
