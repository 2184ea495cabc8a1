//! `import`: a tenant out of an archive that `export` has made, here or elsewhere.

use std::pin::pin;

use futures_util::SinkExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use serde_json::{Value, json};
use tokio::io::AsyncRead;
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::archive::Reader;
use super::export::{End, ExportedMember, FORMAT, FORMAT_VERSION, Manifest, Rows, folder};
use super::load::Load;
use super::snapshot::{Format, HISTORIES, Table};
use super::{furnish, misfit, same_version};
use crate::error::Failure;
use crate::migrate::{Migrations, SchemaVersion};
use crate::names::{DisplayName, EmailAddress, MemberRole, Subdomain, TenantId};
use crate::registry::lifecycle::{By, TenantRecord, TenantRef, failed, not_now};
use crate::registry::{Password, Registry, retire};

/// The manifest names tables and members, not rows.
const LARGEST_MANIFEST: u64 = 64 << 20;

impl Registry {
    /// Makes a tenant of an archive, in one transaction. Members whose accounts are not known here get one each,
    /// without a password that anybody knows: they have it reset.
    pub(crate) async fn import_tenant(
        &self,
        migrations: &Migrations,
        by: &By,
        subdomain: Option<Subdomain>,
        from: impl AsyncRead + Unpin,
    ) -> Result<TenantRecord, Failure> {
        let mut archive = Reader::new(from);
        let manifest = read_manifest(&mut archive).await?;
        let version = SchemaVersion {
            base: manifest.base_version,
            app: manifest.app_version,
            // An archive does not tell.
            digest: migrations.version().digest,
        };
        same_version(version, migrations)?;
        let name = DisplayName::parse(&manifest.tenant.name).map_err(bad)?;
        let subdomain = match subdomain {
            Some(subdomain) => subdomain,
            None => Subdomain::claim(&manifest.tenant.subdomain).map_err(bad)?,
        };
        let password = self.nobodys_password().await?;
        let mut connection = self.connection().await?;
        let mut transaction = connection.transaction().await.map_err(failed)?;
        let name = name.as_str();
        let made = furnish(self, &mut transaction, migrations, name, &subdomain).await?;
        let load = Load::begin(&transaction, &made.schema).await?;
        for (index, table) in manifest.shared_tables.iter().enumerate() {
            load.expect_shared(index, table).await?;
        }
        let left_out = read_rows(&mut archive, &manifest, &load, made.id).await?;
        load.follow().await?;
        load.finish(&manifest.sequences, &manifest.materialized_views)
            .await?;
        for member in &manifest.members {
            admit(&transaction, made.id, member, &password).await?;
        }
        let statement = "update tenantry.tenants set limits = $2 where id = $1";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [
            (&made.id.0, Type::UUID),
            (&manifest.tenant.limits, Type::JSONB),
        ];
        let limited = transaction.execute_typed(statement, &parameters).await;
        limited.map_err(misfit)?;
        let details = json!({"exportedAt": manifest.exported_at, "from": manifest.tenant.id, "leftOut": left_out});
        by.record(&transaction, made.id, "importTenant", details)
            .await?;
        transaction.commit().await.map_err(failed)?;
        retire(connection);
        self.tenant_record(&TenantRef::Id(made.id)).await
    }

    /// The hash of a password that is forgotten at once.
    async fn nobodys_password(&self) -> Result<String, Failure> {
        let text = Alphanumeric.sample_string(&mut rand::rng(), 43);
        let nobody = EmailAddress::parse("nobody@example.com").map_err(Failure::internal)?;
        let nothing = DisplayName::parse("nothing").map_err(Failure::internal)?;
        self.hasher
            .hash(Password::choose(&text, &nobody, nothing.as_str())?)
            .await
    }
}

async fn read_manifest(archive: &mut Reader<impl AsyncRead + Unpin>) -> Result<Manifest, Failure> {
    let head = archive.next().await.map_err(|error| unreadable(&error))?;
    if head.is_none_or(|head| head.name != "manifest.json") {
        return Err(bad(
            "this is no archive that `tenantry tenant export` has made",
        ));
    }
    let text = archive
        .whole(LARGEST_MANIFEST)
        .await
        .map_err(|error| unreadable(&error))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(bad)?;
    if manifest.format != FORMAT || manifest.format_version != FORMAT_VERSION {
        return Err(bad("the archive was made by another release"));
    }
    Ok(manifest)
}

/// Takes the parts as they come, up to the end that says how many rows there were. Tells which shared rows had to be
/// left out.
async fn read_rows(
    archive: &mut Reader<impl AsyncRead + Unpin>,
    manifest: &Manifest,
    load: &Load<'_>,
    tenant: TenantId,
) -> Result<Value, Failure> {
    let mut left_out = None;
    let mut found = End {
        rows: vec![0; manifest.tables.len()],
        shared_rows: vec![0; manifest.shared_tables.len()],
    };
    while let Some(head) = archive.next().await.map_err(|error| unreadable(&error))? {
        if head.name == "end.json" {
            let text = archive
                .whole(LARGEST_MANIFEST)
                .await
                .map_err(|error| unreadable(&error))?;
            let end: End = serde_json::from_slice(&text).map_err(bad)?;
            if end != found {
                return Err(bad("the archive does not have all rows that were exported"));
            }
            return match left_out {
                Some(left_out) => Ok(left_out),
                None => load.adopt(tenant, &manifest.shared_tables).await,
            };
        }
        let (rows, index, table) = named(manifest, &head.name)
            .ok_or_else(|| bad("the archive has a file that its manifest does not name"))?;
        if rows == Rows::Own && HISTORIES.contains(&&*table.name) {
            return Err(bad("the archive has a table that is not its own"));
        }
        let (sink, count) = match rows {
            Rows::Own => {
                if left_out.is_none() {
                    left_out = Some(load.adopt(tenant, &manifest.shared_tables).await?);
                }
                (load.rows(table, Format::Csv).await?, &mut found.rows[index])
            }
            Rows::Shared if left_out.is_some() => {
                return Err(bad("the archive has shared rows after the tenant's own"));
            }
            Rows::Shared => {
                let sink = load.shared_rows(index, table, Format::Csv).await?;
                (sink, &mut found.shared_rows[index])
            }
        };
        let mut sink = pin!(sink);
        loop {
            let piece = archive.piece().await.map_err(|error| unreadable(&error))?;
            if piece.is_empty() {
                break;
            }
            sink.feed(piece.into()).await.map_err(misfit)?;
        }
        *count += sink.finish().await.map_err(misfit)?;
    }
    Err(bad("the archive is incomplete"))
}

/// The table that a file has rows of.
fn named<'m>(manifest: &'m Manifest, file: &str) -> Option<(Rows, usize, &'m Table)> {
    let kinds = [
        (Rows::Own, &manifest.tables),
        (Rows::Shared, &manifest.shared_tables),
    ];
    kinds.into_iter().find_map(|(rows, tables)| {
        let mut tables = tables.iter().enumerate();
        let found =
            tables.find(|(index, table)| file.starts_with(&folder(rows, *index, &table.name)));
        found.map(|(index, table)| (rows, index, table))
    })
}

/// A user's id is the account's, so that whoever has another account under the address cannot be let in.
async fn admit(
    transaction: &Transaction<'_>,
    tenant: TenantId,
    member: &ExportedMember,
    password_hash: &str,
) -> Result<(), Failure> {
    let role: MemberRole = member.role.parse().map_err(bad)?;
    let email = EmailAddress::parse(&member.email).map_err(bad)?;
    let statement = "with account as ( \
           insert into tenantry.accounts (id, email, name, password_hash) values ($2, $3, $4, $5) \
           on conflict do nothing), \
         known as (select $2 as id where not exists (select from tenantry.accounts a \
           where lower(a.email) = lower($3) and a.id <> $2)) \
         insert into tenantry.memberships (account_id, tenant_id, role) select id, $1, $6 from known";
    let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
        (&tenant.0, Type::UUID),
        (&member.id, Type::UUID),
        (&email.as_str(), Type::TEXT),
        (&member.name, Type::TEXT),
        (&password_hash, Type::TEXT),
        (&role.as_str(), Type::TEXT),
    ];
    let admitted = transaction.execute_typed(statement, &parameters).await;
    match admitted.map_err(failed)? {
        0 => Err(not_now(format!(
            "there is another account with the address {email} here"
        ))),
        _ => Ok(()),
    }
}

fn bad(error: impl std::fmt::Display) -> Failure {
    Failure::bad_input("archive", error.to_string())
}

fn unreadable(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => bad("the archive is incomplete"),
        _ => bad(format!("cannot read the archive: {error}")),
    }
}
