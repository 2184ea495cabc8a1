//! Whose each object is, and what it is called when its oid is not to be told.

use std::borrow::Cow;
use std::collections::HashMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::super::Workspace;
use super::Found;
use super::sources::Catalog;

/// A schema's place among those that are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(pub(super) usize);

/// The first oid that `initdb` has not given away.
pub(super) const FIRST_OID: u32 = 16384;

#[derive(Debug, Clone)]
pub(super) struct Labels {
    version: i32,
    own: Vec<Own>,
    known: HashMap<(Catalog, u32), (Place, u128)>,
}

/// What a tenant alone calls its own.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) schema: String,
    pub(super) role: String,
}

impl Labels {
    /// The schemas and roles.
    pub(super) async fn of(client: &Client, workspaces: &[Workspace]) -> Result<Self, Error> {
        let own = |workspace: &Workspace| Own {
            schema: workspace.schema.as_str().to_owned(),
            role: workspace.role.as_str().to_owned(),
        };
        let own: Vec<_> = workspaces.iter().map(own).collect();
        let schemas: Vec<_> = own.iter().map(|own| own.schema.as_str()).collect();
        let roles: Vec<_> = own.iter().map(|own| own.role.as_str()).collect();
        let statement = "select w.ordinal::int4, n.oid, r.oid, current_setting('server_version_num')::int4 \
             from unnest($1::text[], $2::text[]) with ordinality as w (schema_name, role_name, ordinal) \
             join pg_namespace n on n.nspname = w.schema_name \
             left join pg_roles r on r.rolname = w.role_name";
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&schemas, Type::TEXT_ARRAY), (&roles, Type::TEXT_ARRAY)];
        let (mut known, mut version) = (HashMap::new(), 0);
        for row in client.query_typed(statement, &parameters).await? {
            let ordinal: i32 = row.try_get(0)?;
            let place = Place(usize::try_from(ordinal - 1).unwrap_or_default());
            known.insert((Catalog::Schema, row.try_get(1)?), (place, 1));
            if let Some(role) = row.try_get(2)? {
                known.insert((Catalog::Role, role), (place, 2));
            }
            version = row.try_get(3)?;
        }
        Ok(Self {
            version,
            own,
            known,
        })
    }

    /// All schemas that exist.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let known = self.known.iter();
        let schemas = known.filter(|((catalog, _), _)| *catalog == Catalog::Schema);
        schemas.map(|(_, (place, _))| *place)
    }

    pub(super) fn learn(&mut self, catalog: Catalog, found: Vec<Found>) {
        let found = found.into_iter();
        let known = found.map(|one| ((catalog, one.oid), (one.place, one.digest)));
        self.known.extend(known);
    }

    pub(super) fn own(&self, place: Place) -> &Own {
        &self.own[place.0]
    }

    /// Whose something is, and what it is called there.
    pub(super) fn find(&self, catalog: Catalog, oid: u32) -> Option<(Place, u128)> {
        self.known.get(&(catalog, oid)).copied()
    }

    /// What one of the schema's own objects is called; nothing for those of elsewhere, whose oids are the same for everybody.
    pub(super) fn own_object(&self, place: Place, catalog: Catalog, oid: u32) -> Option<u128> {
        let (owner, label) = self.find(catalog, oid)?;
        (owner == place).then_some(label)
    }

    /// The same of a number that may be the oid of anything.
    pub(super) fn own_number(&self, place: Place, number: u32) -> Option<u128> {
        if number < FIRST_OID {
            return None;
        }
        let labels = Catalog::ALL.iter();
        let mut labels = labels.filter_map(|catalog| self.own_object(place, *catalog, number));
        let first = labels.next()?;
        // Two objects of one schema with one number: it is told as it is, and so is like nobody else's.
        labels.next().is_none().then_some(first)
    }

    /// Lines that begin with `--18 ` count since Postgres 18.
    pub(super) fn in_this_version<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        if self.version >= 180_000 && sql.contains("--18 ") {
            sql.replace("--18 ", "").into()
        } else {
            sql.into()
        }
    }
}
