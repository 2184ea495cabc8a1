//! Which schemas are alike, by the rows of the catalog as they are stored: it is read once for the whole fleet, and Postgres
//! has nothing to print.
//!
//! Schemas of the same shape have the same fingerprint. The reverse need not hold: whose columns came in another order has
//! another shape. So it tells for whom one fingerprint will do.

mod labels;
mod row;
mod sources;

use std::collections::HashMap;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use tokio::task::JoinSet;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::Workspace;
use labels::{Labels, Place};
use row::{Reader, oid};
use sources::{CONTENTS, KNOWN_BY_NAME, KNOWN_BY_TYPE, Source};

/// A digest of what the catalog says of a schema, in which its own name, role and oids do not occur. It means something
/// beside others of the same reading only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Shape(u128);

/// What is known of a row: whose it is, its oid if it is somebody to refer to, and its digest.
struct Found {
    place: Place,
    oid: u32,
    digest: u128,
}

/// The shapes of schemas, in their order; none for those that do not exist.
///
/// All transactions see the same moment; what there is to read is divided between them.
pub(crate) async fn shapes<C>(
    transactions: Vec<C>,
    workspaces: &[Workspace],
) -> Result<Vec<Option<Shape>>, Error>
where
    C: Deref<Target = Client> + Send + Sync + 'static,
{
    let mut shapes = vec![None; workspaces.len()];
    let Some(first) = transactions.first() else {
        return Ok(shapes);
    };
    let mut labels = Arc::new(Labels::of(first, workspaces).await?);
    let transactions: Arc<[C]> = transactions.into();
    for sources in [KNOWN_BY_NAME, KNOWN_BY_TYPE] {
        for (source, found) in divide(&transactions, &labels, sources).await? {
            Arc::make_mut(&mut labels).learn(source.rows, found);
        }
    }
    for place in labels.places() {
        shapes[place.0] = Some(Shape(0));
    }
    for (_, found) in divide(&transactions, &labels, CONTENTS).await? {
        for one in found {
            if let Some(Shape(sum)) = &mut shapes[one.place.0] {
                *sum = sum.wrapping_add(one.digest);
            }
        }
    }
    Ok(shapes)
}

/// Reads sources, each transaction one at a time.
async fn divide<C>(
    transactions: &Arc<[C]>,
    labels: &Arc<Labels>,
    sources: &'static [Source],
) -> Result<Vec<(&'static Source, Vec<Found>)>, Error>
where
    C: Deref<Target = Client> + Send + Sync + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut readers = JoinSet::new();
    for index in 0..transactions.len() {
        let (transactions, labels) = (Arc::clone(transactions), Arc::clone(labels));
        let next = Arc::clone(&next);
        readers.spawn(async move {
            let mut read = Vec::new();
            while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                read.push((
                    source,
                    read_all(&transactions[index], &labels, source).await?,
                ));
            }
            Ok(read)
        });
    }
    let mut all = Vec::new();
    while let Some(read) = readers.join_next().await {
        match read {
            Ok(read) => all.extend(read?),
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }
    Ok(all)
}

/// The rows of a source that are somebody's; those that nothing refers to are summed up.
async fn read_all(client: &Client, labels: &Labels, source: &Source) -> Result<Vec<Found>, Error> {
    let none: [(&(dyn ToSql + Sync), Type); 0] = [];
    let sql = labels.in_this_version(source.sql);
    let mut rows = pin!(client.query_typed_raw(&sql, none).await?);
    let mut reader = Reader::new(labels, source);
    let (mut found, mut sums) = (Vec::new(), HashMap::<_, u128>::new());
    while let Some(row) = rows.try_next().await? {
        let Some((place, digest)) = reader.digest(&row)? else {
            continue;
        };
        if source.is_referred_to() {
            let oid = oid(&row, 1)?;
            found.push(Found { place, oid, digest });
        } else {
            let sum = sums.entry(place).or_default();
            *sum = sum.wrapping_add(digest);
        }
    }
    let sums = sums.into_iter().map(|(place, digest)| Found {
        place,
        oid: 0,
        digest,
    });
    found.extend(sums);
    Ok(found)
}

#[cfg(test)]
mod tests;
