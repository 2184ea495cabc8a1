//! Whether somebody may run an operation: one comparison, and the reasons where the answer is no.

use super::violation::field;
use crate::compile::Compiled;
use crate::error::{Failure, PathSegment};
use crate::guard::Identity;
use crate::model::{RelationId, Standing};
use crate::names::MemberRole;
use crate::plan::{self, LogIn, Subject, Use};
use crate::schema::Api;

/// The most errors of one refusal.
const MOST_REFUSALS: usize = 20;

/// Refuses what takes more than the identity's role, all of it: data with holes would look like data.
pub(crate) fn permit(
    api: &Api,
    compiled: &Compiled,
    identity: &Identity,
) -> Result<(), Vec<Failure>> {
    let standing = standing(identity);
    if standing >= compiled.plan.needs {
        return Ok(());
    }
    let uses = plan::refused(&api.access, &compiled.plan, standing);
    Err(failures(api, standing, &uses, &[]))
}

/// The same for what a `logIn` answers about the user, who is known only then.
pub(super) fn permit_user(
    api: &Api,
    key: &str,
    log_in: &LogIn,
    identity: &Identity,
) -> Result<(), Failure> {
    let standing = standing(identity);
    let uses = plan::refused_user(&api.access, log_in, standing);
    let mut failures = failures(api, standing, &uses, &[key]).into_iter();
    failures.next().map_or(Ok(()), Err)
}

fn standing(identity: &Identity) -> Standing {
    match identity.role() {
        None => Standing::Stranger,
        Some(MemberRole::Viewer) => Standing::Viewer,
        Some(MemberRole::Member) => Standing::Member,
        Some(MemberRole::Admin) => Standing::Admin,
        Some(MemberRole::Owner) => Standing::Owner,
    }
}

fn failures(api: &Api, standing: Standing, uses: &[Use<'_>], above: &[&str]) -> Vec<Failure> {
    let path = |used: &Use<'_>| {
        let keys = above.iter().chain(&used.path);
        keys.map(|key| PathSegment::Field((*key).to_owned()))
            .collect()
    };
    if standing == Standing::Stranger {
        let message = "log in first, and send the header Authorization: Bearer <accessToken>";
        let first = uses.first().map(path).unwrap_or_default();
        return vec![Failure::unauthenticated(message).with_path(first)];
    }
    let uses = uses.iter().take(MOST_REFUSALS);
    uses.map(|used| {
        let role = used.takes.word();
        let message = format!("{} takes the role {role}", subject(api, used.subject));
        Failure::takes_role(role, message).with_path(path(used))
    })
    .collect()
}

fn subject(api: &Api, subject: Subject) -> String {
    let rows = |relation: RelationId| {
        let names = &api.blueprint.type_names;
        names[relation.0].as_deref().unwrap_or("those").to_owned()
    };
    let column = |relation, column| match field(&api.blueprint, relation, column) {
        Some(field) => format!("{}.{field}", rows(relation)),
        None => format!("this field of {}", rows(relation)),
    };
    match subject {
        Subject::Rows(relation) => format!("reading {} rows", rows(relation)),
        Subject::Column(relation, id) => format!("reading {}", column(relation, id)),
        Subject::WrittenRows(relation) => format!("adding or removing {} rows", rows(relation)),
        Subject::WrittenColumn(relation, id) => format!("writing {}", column(relation, id)),
        Subject::Function(_) => "calling this function".to_owned(),
        Subject::Mutation => "changing anything".to_owned(),
        Subject::Service(_) => "this".to_owned(),
    }
}
