//! Whether the schemas of tenants are still what the migrations make: they are compared, by fingerprint, with a schema
//! that is made for it and undone.

use std::collections::HashMap;

use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Transaction};
use uuid::Uuid;

use super::lifecycle::failed;
use super::provision::{SignUpError, furnish};
use super::{CONNECTIONS, OwnerTransaction, Registry, retire};
use crate::catalog::{self, Catalog, Fingerprint, Workspace};
use crate::error::{Failure, postgres_reason};
use crate::migrate::{MigrationError, Migrations};
use crate::names::{RoleName, SchemaName};

/// How many relations are looked at in one transaction: those that views read are locked meanwhile, and Postgres has room for
/// some thousands of locks.
const RELATIONS_AT_ONCE: i64 = 1000;

/// How many connections read the catalog at most, beside the one whose moment they see: the pool has [`CONNECTIONS`], and somebody makes
/// a reference at the same time.
const READERS: usize = CONNECTIONS - 2;

/// So many schemas are looked at one by one.
const FEW: usize = 4;

/// How many of those that are alike are looked at, one after the other, until one has not just been changed.
const ATTEMPTS: usize = 3;

struct Moment {
    leader: OwnerTransaction,
    readers: Vec<OwnerTransaction>,
}

/// What the migrations make.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) catalog: Catalog,
    pub(crate) fingerprint: Fingerprint,
}

/// The files make no schema, and why.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct DoNotRun(MigrationError);

impl DoNotRun {
    /// Whether that is what went wrong.
    pub(crate) fn of(failure: &Failure) -> Option<&Self> {
        failure.log.as_ref()?.downcast_ref()
    }

    pub(crate) fn sentence(&self) -> String {
        format!("the files do not run for a new tenant: {self}")
    }

    fn into_failure(error: SignUpError) -> Failure {
        match error {
            // Where Postgres has not answered, nobody knows.
            SignUpError::Migration(error) if error.is_answer() => Failure::internal(Self(error)),
            error => Failure::internal(error),
        }
    }
}

/// What was found when somebody looked at a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Found(Fingerprint),
    /// There is no such schema, or nothing in it.
    Nothing,
    /// It could not be looked at, and why: as a rule it is being changed.
    Failed(String),
}

impl Registry {
    /// Makes a schema as a sign-up does, looks at it, and undoes it.
    pub(crate) async fn reference(&self, migrations: &Migrations) -> Result<Reference, Failure> {
        let mut connection = self.connection().await?;
        let made = self.make_reference(&mut connection, migrations).await;
        // Files may leave things in the session, such as locks, which are nobody else's business.
        retire(connection);
        made
    }

    /// Makes a schema as a sign-up does, and undoes it: whether somebody new could sign up.
    pub(crate) async fn rehearse_newcomer(&self, migrations: &Migrations) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        let made = self.newcomers_workspace(&transaction, migrations).await;
        drop(transaction);
        retire(connection);
        made.map(drop)
    }

    async fn newcomers_workspace(
        &self,
        transaction: &Transaction<'_>,
        migrations: &Migrations,
    ) -> Result<Workspace, Failure> {
        let patience = "set local lock_timeout = '5s'";
        transaction.batch_execute(patience).await.map_err(failed)?;
        let workspace = self.nobodys_workspace(transaction, migrations).await?;
        let protected = self.protect_views(transaction, &workspace.schema).await;
        protected.map_err(failed)?;
        Ok(workspace)
    }

    async fn make_reference(
        &self,
        connection: &mut Object,
        migrations: &Migrations,
    ) -> Result<Reference, Failure> {
        let transaction = connection.transaction().await.map_err(failed)?;
        let workspace = self.newcomers_workspace(&transaction, migrations).await?;
        let hidden = hidden(migrations);
        let catalog = catalog::list(&transaction, &workspace, &hidden).await;
        let catalog = catalog.map_err(failed)?;
        let found = catalog::fingerprints(&transaction, &[&workspace], &hidden).await;
        let fingerprint = found.map_err(failed)?.pop().flatten();
        let fingerprint =
            fingerprint.ok_or_else(|| Failure::internal("the migrations make no schema"))?;
        transaction.rollback().await.map_err(failed)?;
        Ok(Reference {
            catalog,
            fingerprint,
        })
    }

    /// Makes a schema that is to stay, for a database that is not. Its views are as the files make them.
    pub(crate) async fn make_scratch(&self, migrations: &Migrations) -> Result<Workspace, Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        let workspace = self.nobodys_workspace(&transaction, migrations).await?;
        transaction.commit().await.map_err(failed)?;
        retire(connection);
        Ok(workspace)
    }

    /// A workspace as a new tenant gets it, without anybody in it.
    async fn nobodys_workspace(
        &self,
        transaction: &Transaction<'_>,
        migrations: &Migrations,
    ) -> Result<Workspace, Failure> {
        let version = migrations.version();
        let statement = "select tenantry.create_spare($1, $2, $3, 'reference')";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&Uuid::now_v7(), Type::UUID),
            (&version.base, Type::INT4),
            (&version.app, Type::INT4),
        ];
        let row = transaction.query_typed_one(statement, &parameters).await;
        let name: String = row.and_then(|row| row.try_get(0)).map_err(failed)?;
        let workspace = Workspace {
            schema: SchemaName::parse(name.clone()).map_err(Failure::internal)?,
            role: RoleName::parse(name).map_err(Failure::internal)?,
        };
        let Workspace { schema, role } = &workspace;
        furnish(transaction, migrations, schema, role, &self.users_table)
            .await
            .map_err(DoNotRun::into_failure)?;
        Ok(workspace)
    }

    /// What is in a tenant's schema.
    pub(crate) async fn catalog(
        &self,
        migrations: &Migrations,
        workspace: &Workspace,
    ) -> Result<Catalog, Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        be_patient(&transaction).await.map_err(failed)?;
        let listed = catalog::list(&transaction, workspace, &hidden(migrations)).await;
        listed.map_err(failed)
    }

    /// Looks at many schemas, with so many connections; the answers come in the order of the schemas.
    ///
    /// Those of one shape are alike: of many, one of each shape is looked at closely.
    pub(crate) async fn fingerprints(
        &self,
        migrations: &Migrations,
        workspaces: &[Workspace],
        connections: usize,
    ) -> Result<Vec<Look>, Failure> {
        if workspaces.len() <= FEW {
            return self.look_at_each(migrations, workspaces, connections).await;
        }
        let moment = self.moment(connections).await.map_err(Failure::internal)?;
        let shapes = catalog::shapes(moment.readers, workspaces).await;
        let mut groups = HashMap::<_, Vec<usize>>::new();
        for (index, shape) in shapes.map_err(failed)?.into_iter().enumerate() {
            if let Some(shape) = shape {
                groups.entry(shape).or_default().push(index);
            }
        }
        let mut looks = vec![Look::Nothing; workspaces.len()];
        let mut groups: Vec<_> = groups.into_values().collect();
        for attempt in 0..ATTEMPTS {
            let first = |group: &Vec<usize>| workspaces[group[attempt % group.len()]].clone();
            let firsts: Vec<_> = groups.iter().map(first).collect();
            let before = stamps(&moment.leader, &firsts).await?;
            let found = self.look_at_each(migrations, &firsts, connections).await?;
            let after = stamps(&**self.connection().await?, &firsts).await?;
            // What has changed since the moment, or could not be looked at, tells nothing of the others.
            let mut left = Vec::new();
            for (index, (group, look)) in groups.into_iter().zip(found).enumerate() {
                if before[index] == after[index] && matches!(look, Look::Found(_)) {
                    for place in group {
                        looks[place] = look.clone();
                    }
                } else {
                    left.push(group);
                }
            }
            groups = left;
        }
        let left = groups.concat();
        let others: Vec<_> = left
            .iter()
            .map(|place| workspaces[*place].clone())
            .collect();
        let found = self.look_at_each(migrations, &others, connections).await?;
        for (place, look) in left.into_iter().zip(found) {
            looks[place] = look;
        }
        Ok(looks)
    }

    /// Transactions that all see the same moment, and one more.
    async fn moment(&self, readers: usize) -> Result<Moment, LookError> {
        let settings = "set local jit = off; set local max_parallel_workers_per_gather = 0";
        let begin = "begin isolation level repeatable read read only";
        let leader = self.transaction(&format!("{begin}; {settings}")).await?;
        let row = leader
            .query_typed_one("select pg_export_snapshot()", &[])
            .await?;
        let snapshot: String = row.try_get(0)?;
        let begin = format!("{begin}; set transaction snapshot '{snapshot}'; {settings}");
        let readers = (0..readers.clamp(1, READERS)).map(|_| self.transaction(&begin));
        let readers = try_join_all(readers).await?;
        Ok(Moment { leader, readers })
    }

    async fn look_at_each(
        &self,
        migrations: &Migrations,
        workspaces: &[Workspace],
        connections: usize,
    ) -> Result<Vec<Look>, Failure> {
        let hidden = &hidden(migrations);
        let chunks = self.chunks(workspaces).await?;
        let looks = stream::iter(chunks)
            .map(|chunk| async move {
                match self.look(chunk, hidden).await {
                    Err(_) if chunk.len() > 1 => {
                        // One of them stood in the way.
                        let ones = chunk.iter().map(std::slice::from_ref);
                        let mut looks = Vec::with_capacity(chunk.len());
                        for one in ones {
                            looks.extend(self.look(one, hidden).await.or_else(unseen)?);
                        }
                        Ok(looks)
                    }
                    looks => looks.or_else(unseen),
                }
            })
            .buffered(connections.clamp(1, READERS));
        let looks: Vec<Vec<Look>> = looks.try_collect().await?;
        Ok(looks.into_iter().flatten().collect())
    }

    async fn look(&self, chunk: &[Workspace], hidden: &[&str]) -> Result<Vec<Look>, LookError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        be_patient(&transaction).await?;
        let chunk: Vec<_> = chunk.iter().collect();
        let found = catalog::fingerprints(&transaction, &chunk, hidden).await?;
        let look = |found: Option<_>| found.map_or(Look::Nothing, Look::Found);
        Ok(found.into_iter().map(look).collect())
    }

    /// Cuts a list of schemas into pieces for one transaction each.
    async fn chunks<'a>(
        &self,
        workspaces: &'a [Workspace],
    ) -> Result<Vec<&'a [Workspace]>, Failure> {
        let names: Vec<_> = workspaces.iter().map(|w| w.schema.as_str()).collect();
        // What depends on a schema is found by an index; there is none of what is in it.
        let statement = "select count(d.objid) \
             from unnest($1::text[]) with ordinality as w (name, ordinal) \
             left join pg_namespace n on n.nspname = w.name \
             left join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid \
                                  and d.classid = 'pg_class'::regclass \
             group by w.ordinal order by w.ordinal";
        let connection = self.connection().await?;
        let rows = connection
            .query_typed(statement, &[(&names, Type::TEXT_ARRAY)])
            .await
            .map_err(failed)?;
        let mut chunks = Vec::new();
        let (mut start, mut relations) = (0, 0);
        for (index, row) in rows.iter().enumerate() {
            let own: i64 = row.try_get(0).map_err(failed)?;
            if index > start && relations + own > RELATIONS_AT_ONCE {
                chunks.push(&workspaces[start..index]);
                (start, relations) = (index, 0);
            }
            relations += own;
        }
        chunks.push(&workspaces[start..]);
        Ok(chunks)
    }
}

async fn stamps(client: &Client, workspaces: &[Workspace]) -> Result<Vec<Option<String>>, Failure> {
    let schemas: Vec<_> = workspaces.iter().map(|w| w.schema.as_str()).collect();
    catalog::stamps(client, &schemas).await.map_err(failed)
}

/// What is the service's own business in every schema.
fn hidden(migrations: &Migrations) -> [&'static str; 2] {
    [migrations.base.history(), migrations.app.history()]
}

/// Nobody waits for whoever looks, and who looks does not wait for long.
async fn be_patient(transaction: &Transaction<'_>) -> Result<(), Error> {
    let settings = "set transaction read only; set local lock_timeout = '1s'";
    transaction.batch_execute(settings).await
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Registry(#[from] super::RegistryError),
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] Error),
}

/// What is being changed, or dropped, while somebody looks at it cannot be told; anything else is an error.
fn unseen(error: LookError) -> Result<Vec<Look>, Failure> {
    let LookError::Postgres(error) = error else {
        return Err(Failure::internal(error));
    };
    let code = error
        .as_db_error()
        .map(tokio_postgres::error::DbError::code);
    let passing = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_OBJECT,
        // What vanishes between two look-ups is an "internal error" to Postgres.
        SqlState::INTERNAL_ERROR,
    ];
    match code {
        Some(code) if passing.contains(code) => {
            let locked = *code == SqlState::LOCK_NOT_AVAILABLE;
            let reason = if locked {
                "its tables are locked: try again later".to_owned()
            } else {
                postgres_reason(&error)
            };
            Ok(vec![Look::Failed(reason)])
        }
        _ => Err(Failure::internal(LookError::Postgres(error))),
    }
}
