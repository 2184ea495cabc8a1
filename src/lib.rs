//! Tenantry: a schema-per-tenant GraphQL service on `PostgreSQL`.
//!
//! The modules stand in the order in which data flows. A request passes [`http`], which asks the
//! [`guard`] for a tenant, looks up its API ([`apis`]), has the operation compiled
//! ([`mod@compile`]: [`plan`], then [`sql`]), runs the statement in a [`session`], and
//! has the [`rows`] [`encode`]d into the response ([`execute`]). `http/endpoint.rs` has these stages in
//! one function.
//!
//! An API comes from the tables: the [`model`] is what introspection found, the [`schema`] is the
//! GraphQL schema made of it. Tenants come from the [`registry`], their tables from [`migrate`],
//! and new ones sign up at the [`platform`]. The [`fleet`] brings all of them to the version of the migrations.
#![cfg_attr(
    not(test),
    expect(
        rustdoc::private_intra_doc_links,
        reason = "the map is for those who work on it"
    )
)]

pub mod cli;

mod config;
mod telemetry;

mod http;
mod platform;

mod dns;
mod domains;
mod fleet;
mod guard;
mod oidc;
mod registry;
mod resets;
mod squash;

mod apis;
mod compile;
mod documents;
mod execute;
mod service;

pub mod model;
pub mod schema;

pub mod plan;
pub mod sql;

mod session;

pub mod rows;

pub mod encode;

mod catalog;
mod lint;
mod migrate;
pub mod postgres;

mod error;
mod limits;
mod mail;
mod names;
mod request;
mod secret;

#[cfg(test)]
mod testing;
