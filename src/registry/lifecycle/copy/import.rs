//! `import`: a tenant out of an archive that `export` has made, here or elsewhere.

use std::pin::pin;

use futures_util::SinkExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use serde_json::json;
use tokio::io::AsyncRead;
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::archive::Reader;
use super::export::{End, ExportedMember, FORMAT, FORMAT_VERSION, Manifest, folder};
use super::load::Load;
use super::snapshot::{Format, HISTORIES};
use super::{furnish, misfit, same_version};
use crate::error::Failure;
use crate::migrate::{Migrations, SchemaVersion};
use crate::names::{DisplayName, EmailAddress, MemberRole, Subdomain, TenantId};
use crate::registry::lifecycle::{By, TenantRecord, TenantRef, failed, not_now};
use crate::registry::{Password, Registry};

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
        let transaction = connection.transaction().await.map_err(failed)?;
        let made = furnish(self, &transaction, migrations, name.as_str(), &subdomain).await?;
        let load = Load::begin(&transaction, &made.schema).await?;
        read_rows(&mut archive, &manifest, &load).await?;
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
        let details = json!({"exportedAt": manifest.exported_at, "from": manifest.tenant.id});
        by.record(&transaction, made.id, "importTenant", details)
            .await?;
        transaction.commit().await.map_err(failed)?;
        drop(connection);
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

/// Takes the parts as they come, up to the end that says how many rows there were.
async fn read_rows(
    archive: &mut Reader<impl AsyncRead + Unpin>,
    manifest: &Manifest,
    load: &Load<'_>,
) -> Result<(), Failure> {
    let mut found = vec![0; manifest.tables.len()];
    while let Some(head) = archive.next().await.map_err(|error| unreadable(&error))? {
        if head.name == "end.json" {
            let text = archive
                .whole(LARGEST_MANIFEST)
                .await
                .map_err(|error| unreadable(&error))?;
            let end: End = serde_json::from_slice(&text).map_err(bad)?;
            if end.rows != found {
                return Err(bad("the archive does not have all rows that were exported"));
            }
            return Ok(());
        }
        let tables = manifest.tables.iter().enumerate();
        let table = tables
            .into_iter()
            .find(|(index, table)| head.name.starts_with(&folder(*index, &table.name)));
        let (index, table) =
            table.ok_or_else(|| bad("the archive has a file that its manifest does not name"))?;
        if HISTORIES.contains(&&*table.name) {
            return Err(bad("the archive has a table that is not its own"));
        }
        let mut sink = pin!(load.rows(table, Format::Csv).await?);
        loop {
            let piece = archive.piece().await.map_err(|error| unreadable(&error))?;
            if piece.is_empty() {
                break;
            }
            sink.feed(piece.into()).await.map_err(misfit)?;
        }
        found[index] += sink.finish().await.map_err(misfit)?;
    }
    Err(bad("the archive is incomplete"))
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
