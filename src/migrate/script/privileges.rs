//! Statements about privileges: whose they are, and what the tenant's role is called.

use super::edit::Edit;
use super::lex::Kind;
use super::rules::{Verdict, is_shared};
use super::tokens::Tokens;

/// Tenantry grants each tenant's role what it needs, and the roles of a dump don't exist here: such statements are left out.
/// About PUBLIC and the current user, who exist everywhere, and about the tenant's role, which migrations call `tenant`, a
/// migration may decide for its own objects, as in `REVOKE EXECUTE ON FUNCTION f FROM PUBLIC`.
pub(super) fn judge(tokens: Tokens<'_>) -> Verdict {
    let outside: Vec<usize> = tokens.outside_parentheses().collect();
    let find = |words: &[&str]| outside.iter().copied().find(|at| tokens.is_any(*at, words));
    let (Some(on), Some(grantees)) = (find(&["ON"]), find(&["TO", "FROM"])) else {
        return Verdict::Skip;
    };
    let shared = is_shared(tokens, on + 1)
        || tokens.is(on + 1, "ALL")
        || tokens.is(on + 1, "FOREIGN") && !tokens.is(on + 2, "TABLE")
        || tokens.is(on + 1, "PARAMETER");
    let everyone = outside
        .iter()
        .copied()
        .filter(|at| *at > grantees)
        .all(|at| {
            let end = [
                "WITH", "GRANT", "OPTION", "GRANTED", "BY", "CASCADE", "RESTRICT", "GROUP",
            ];
            let known = [
                "PUBLIC",
                "CURRENT_USER",
                "CURRENT_ROLE",
                "SESSION_USER",
                "TENANT",
            ];
            tokens.kind(at) == Some(Kind::Comma)
                || tokens.is_any(at, &end)
                || tokens.is_any(at, &known)
        });
    if shared || !everyone {
        Verdict::Skip
    } else {
        Verdict::Run(for_tenant_role(tokens))
    }
}

/// `GRANT SELECT (a) ON t TO tenant` → `SELECT tenantry.run_for_tenant_role('GRANT SELECT (a) ON t TO …')`: each tenant's role
/// has another name, and no statement takes a role as a parameter.
pub(super) fn for_tenant_role(tokens: Tokens<'_>) -> Vec<Edit> {
    let role = |at: &usize| tokens.is(*at, "TENANT") && tokens.is_any(*at - 1, &["TO", "FROM"]);
    let listed = |at: &usize| tokens.is(*at, "TENANT") && tokens.kind(*at - 1) == Some(Kind::Comma);
    let mut roles = Vec::new();
    for at in tokens.outside_parentheses().skip(1) {
        // A list of roles goes on after a comma.
        if role(&at) || (listed(&at) && names_roles(tokens, at - 1)) {
            roles.push(at);
        }
    }
    let (Some(first), Some(last)) = (tokens.all.first(), tokens.all.last()) else {
        return Vec::new();
    };
    if roles.is_empty() {
        return Vec::new();
    }
    let quoted = |at: usize| {
        let range = tokens.all[at].start..tokens.all[at].end;
        Edit::replace(range, "\"tenantry tenant role\"".into())
    };
    let mut edits: Vec<_> = roles.into_iter().map(quoted).collect();
    edits.push(Edit::insert(
        first.start,
        "select tenantry.run_for_tenant_role($tenantry$",
    ));
    edits.push(Edit::insert(last.end, "$tenantry$)"));
    edits
}

/// Whether the comma stands in a list of roles: names with commas between them, back to TO or FROM.
fn names_roles(tokens: Tokens<'_>, comma: usize) -> bool {
    let mut at = comma;
    while at >= 2 && tokens.kind(at) == Some(Kind::Comma) {
        at -= 2;
    }
    tokens.is_any(at, &["TO", "FROM"])
}

#[cfg(test)]
mod tests {
    use super::{Verdict, for_tenant_role, judge};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::tokens::Tokens;

    /// None when it is left out.
    fn run(sql: &str) -> Option<String> {
        let all = tokens(sql).unwrap();
        let tokens = Tokens {
            text: sql,
            all: &all,
        };
        let edits = if tokens.is(1, "POLICY") {
            for_tenant_role(tokens)
        } else {
            match judge(tokens) {
                Verdict::Run(edits) => edits,
                Verdict::Skip => return None,
                other => panic!("{other:?}"),
            }
        };
        Some(apply(sql, 0..sql.len(), edits))
    }

    #[test]
    fn privileges_of_other_roles_and_on_shared_things_are_left_out() {
        for sql in [
            "GRANT SELECT ON t TO joe",
            "GRANT ALL ON TABLE t TO PUBLIC, joe",
            "GRANT USAGE ON SCHEMA public TO PUBLIC",
            "REVOKE CREATE ON DATABASE d FROM PUBLIC",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
            "GRANT admin TO joe",
        ] {
            assert_eq!(run(sql), None, "{sql}");
        }
    }

    #[test]
    fn the_tenants_role_has_a_name_of_its_own() {
        let wrapped = |sql: &str| {
            let sql = sql.replace('?', "\"tenantry tenant role\"");
            format!("select tenantry.run_for_tenant_role($tenantry${sql}$tenantry$)")
        };
        for sql in [
            "revoke select on t from ?",
            "grant select (a, b) on t to public, ? with grant option",
            "revoke execute on function f(tenant int) from public, ?",
            "create policy p on tenant to ? using (tenant = 1)",
            "alter policy p on t to ?, current_user",
        ] {
            assert_eq!(run(&sql.replace('?', "tenant")), Some(wrapped(sql)));
        }
        for sql in [
            "grant select on tenant to public",
            "REVOKE ALL ON FUNCTION f(a, b) FROM PUBLIC",
            "grant select (a, b) on t to public, current_user with grant option",
            "create policy tenant on tenant using (tenant)",
        ] {
            assert_eq!(run(sql).as_deref(), Some(sql));
        }
        assert_eq!(run("grant all on t to joe, tenant"), None);
    }
}
