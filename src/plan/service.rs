//! The service's own fields: how much they may answer, and what may stand beside them.

use super::error::PlanError;
use super::parse::too_complex;
use super::types::{Root, RootValue};
use super::{Env, Result, Selected};
use crate::model::Standing;
use crate::schema::{FieldDef, Type};

/// How many items a list of the service's own counts as, which is the most that one has.
const ITEMS: u64 = 100;

/// The most of the service's own changes in one operation.
const MOST_CHANGES: usize = 10;

/// The most of those among them that are there for everybody. They check secrets, which is slow so that
/// guessing them is.
const MOST_PUBLIC_CHANGES: usize = 3;

/// How many values the answer of one of the service's own fields may have.
pub(super) fn plan(env: &Env<'_>, def: &FieldDef, selected: &Selected<'_>) -> Result<u64> {
    if env.api.blueprint.object(def.ty.name()).is_none() {
        return Ok(0);
    }
    let mut values = 0_u64;
    for field in env.selected(def.ty.name(), &selected.fields)? {
        let inner = match field.def {
            Some(def) => plan(env, def, &field)?,
            None => 0,
        };
        values = values.saturating_add(inner.saturating_add(1));
    }
    Ok(match def.ty {
        Type::List { .. } => values.saturating_mul(ITEMS),
        Type::Named { .. } => values,
    })
}

/// Changes of the service's own run in a transaction of their own, and so in an operation of their own.
pub(super) fn check_mutation(roots: &[Root]) -> Result<()> {
    let own = |most: Standing| {
        let values = roots.iter().map(|root| &root.value);
        values
            .filter(|value| matches!(value, RootValue::Service { takes, .. } if *takes <= most))
            .count()
    };
    let changes = own(Standing::Owner);
    let of_tables = |root: &&Root| {
        matches!(
            root.value,
            RootValue::Write(_) | RootValue::Call(_) | RootValue::LogIn(_)
        )
    };
    if let (true, Some(other)) = (changes > 0, roots.iter().find(of_tables)) {
        return Err(PlanError {
            path: vec![other.key.name().to_owned()],
            ..PlanError::bad_input(
                "what changes tables does not stand in one operation with what the service itself changes: \
                 send two, as each is one transaction",
            )
        });
    }
    if changes > MOST_CHANGES {
        return Err(too_complex(format!(
            "an operation may have the service change at most {MOST_CHANGES} things"
        )));
    }
    if own(Standing::Stranger) > MOST_PUBLIC_CHANGES {
        return Err(too_complex(format!(
            "an operation may have at most {MOST_PUBLIC_CHANGES} fields that check a password or a token"
        )));
    }
    Ok(())
}
