//! Sessions from beginning to end: tokens that are good once, and what ends them all.

use crate::error::Code;
use crate::guard::{Admission, Cookies, Credentials, Granted, TenantContext};
use crate::names::MemberRole;
use crate::registry::Which;
use crate::testing::{Replica, TestDatabase, client};

async fn at(replica: &Replica, host: &str) -> TenantContext {
    match replica.guard.admit(Some(host), None).await.unwrap() {
        Admission::Tenant(context) => context,
        Admission::Platform(_) => panic!("not the platform"),
    }
}

async fn log_in(replica: &Replica, context: &TenantContext) -> Granted {
    let credentials = Credentials::Password {
        email: "owner@acme.test",
        password: "demo-password",
    };
    let entered = replica.guard.log_in(context, credentials, &client()).await;
    entered.unwrap().1
}

async fn refresh(replica: &Replica, place: &TenantContext, token: &str) -> Result<Granted, Code> {
    let credentials = Credentials::Refresh(token);
    let entered = replica.guard.log_in(place, credentials, &client()).await;
    entered
        .map(|(_, granted)| granted)
        .map_err(|failure| failure.code)
}

async fn is_admitted(replica: &Replica, granted: &Granted) -> bool {
    let header = format!("Bearer {}", granted.access.as_str());
    let admitted = replica
        .guard
        .admit(Some("acme.localhost"), Some(&header))
        .await;
    admitted.is_ok()
}

async fn becomes_refused(replica: &Replica, granted: &Granted) {
    for _ in 0..100 {
        if !is_admitted(replica, granted).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the access token still counts after a second");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    here.sign_up("acme").await;
    let acme = at(&here, "acme.localhost").await;
    let first = log_in(&here, &acme).await;
    let second = refresh(&here, &acme, first.refresh.as_str()).await.unwrap();
    assert!(is_admitted(&here, &second).await);
    // Another tab, at another replica, in the same moment: the same next token.
    let tab = refresh(&there, &acme, first.refresh.as_str())
        .await
        .unwrap();
    assert_eq!(tab.refresh.as_str(), second.refresh.as_str());
    let third = refresh(&here, &acme, second.refresh.as_str())
        .await
        .unwrap();
    // Two behind is no other tab: somebody has a copy, and nobody knows who, so the session ends.
    assert_eq!(
        refresh(&here, &acme, first.refresh.as_str())
            .await
            .unwrap_err(),
        Code::Unauthenticated
    );
    assert_eq!(
        refresh(&here, &acme, third.refresh.as_str())
            .await
            .unwrap_err(),
        Code::Unauthenticated
    );
    becomes_refused(&here, &third).await;
    becomes_refused(&there, &third).await;
}

#[tokio::test]
async fn the_token_before_counts_for_half_a_minute() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    let acme = at(&replica, "acme.localhost").await;
    let first = log_in(&replica, &acme).await;
    refresh(&replica, &acme, first.refresh.as_str())
        .await
        .unwrap();
    let later = "update tenantry.sessions set rotated_at = rotated_at - interval '31 seconds'";
    test.superuser().await.batch_execute(later).await.unwrap();
    assert_eq!(
        refresh(&replica, &acme, first.refresh.as_str())
            .await
            .unwrap_err(),
        Code::Unauthenticated
    );
    let count = "select count(*) from tenantry.sessions";
    let row = test.superuser().await.query_one(count, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn refresh_tokens_are_for_one_place_and_one_member() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    replica.sign_up("globex").await;
    let (acme, globex) = (
        at(&replica, "acme.localhost").await,
        at(&replica, "globex.localhost").await,
    );
    let first = log_in(&replica, &acme).await;
    let token = first.refresh.as_str();
    assert_eq!(
        refresh(&replica, &globex, token).await.unwrap_err(),
        Code::Unauthenticated
    );
    let at_base = replica
        .guard
        .enter(None, Credentials::Refresh(token), &client())
        .await;
    assert_eq!(at_base.unwrap_err().code, Code::Unauthenticated);
    for nonsense in [
        "",
        "tnr_",
        first.access.as_str(),
        &token[..60],
        "tnr_\u{e9}",
    ] {
        assert_eq!(
            refresh(&replica, &acme, nonsense).await.unwrap_err(),
            Code::Unauthenticated
        );
    }
    // None of that was a use. The role is the one of now; whoever is no member any more gets nothing.
    let database = test.superuser().await;
    database
        .batch_execute("update tenantry.memberships set role = 'viewer'")
        .await
        .unwrap();
    let credentials = Credentials::Refresh(token);
    let (context, second) = replica
        .guard
        .log_in(&acme, credentials, &client())
        .await
        .unwrap();
    assert_eq!(context.identity().role(), Some(MemberRole::Viewer));
    database
        .batch_execute("delete from tenantry.memberships")
        .await
        .unwrap();
    let token = second.refresh.as_str();
    assert_eq!(
        refresh(&replica, &acme, token).await.unwrap_err(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_on_every_replica() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    let owner = here.sign_up("acme").await.owner;
    let acme = at(&here, "acme.localhost").await;
    let (one, two) = (log_in(&here, &acme).await, log_in(&there, &acme).await);
    let what = ("logOutEverywhere", &client());
    let place = (Some(acme.tenant().id), owner);
    assert_eq!(
        here.registry
            .end_sessions(place, Which::All, what)
            .await
            .unwrap(),
        2
    );
    for granted in [&one, &two] {
        becomes_refused(&here, granted).await;
        becomes_refused(&there, granted).await;
        let token = granted.refresh.as_str();
        assert_eq!(
            refresh(&there, &acme, token).await.unwrap_err(),
            Code::Unauthenticated
        );
    }
    // A session that begins afterwards is not concerned.
    assert!(is_admitted(&there, &log_in(&here, &acme).await).await);
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let owner = replica.sign_up("acme").await.owner;
    let acme = at(&replica, "acme.localhost").await;
    let (mine, other) = (log_in(&replica, &acme).await, log_in(&replica, &acme).await);
    let header = format!("Bearer {}", mine.access.as_str());
    let Ok(Admission::Tenant(context)) = replica
        .guard
        .admit(Some("acme.localhost"), Some(&header))
        .await
    else {
        panic!("not admitted")
    };
    let change = async |old, new| {
        let whose = (owner, context.session().unwrap());
        replica
            .registry
            .change_password(whose, old, new, &client())
            .await
    };
    let wrong = change("not my password", "another password")
        .await
        .unwrap_err();
    assert_eq!(
        (wrong.code, wrong.details.field.as_deref()),
        (Code::BadUserInput, Some("oldPassword"))
    );
    let weak = change("demo-password", "short").await.unwrap_err();
    assert_eq!(weak.code, Code::BadUserInput);
    assert_eq!(
        change("demo-password", "another password").await.unwrap(),
        1
    );
    becomes_refused(&replica, &other).await;
    assert!(is_admitted(&replica, &mine).await);
    assert!(
        refresh(&replica, &acme, mine.refresh.as_str())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_reset_sets_the_password_once() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    replica.sign_up("globex").await;
    let acme = at(&replica, "acme.localhost").await;
    let globex = at(&replica, "globex.localhost").await;
    let before = log_in(&replica, &acme).await;
    let ask = async |context: &TenantContext, email| {
        let tenant = Some(context.tenant().id);
        replica
            .registry
            .begin_reset(tenant, email, &client())
            .await
            .unwrap()
    };
    for (place, email) in [
        (&acme, "nobody@acme.test"),
        (&globex, "owner@acme.test"),
        (&acme, ""),
    ] {
        assert!(ask(place, email).await.is_none(), "{email}");
    }
    let first = ask(&acme, " Owner@Acme.test").await.unwrap();
    let second = ask(&acme, "owner@acme.test").await.unwrap();
    let reset = async |context: &TenantContext, token: &str, password| {
        let credentials = Credentials::Reset { token, password };
        let entered = replica.guard.log_in(context, credentials, &client()).await;
        entered
            .map(|(_, granted)| granted)
            .map_err(|failure| failure.code)
    };
    let token = first.token.as_str().to_owned();
    assert_eq!(
        reset(&acme, &token, "short").await.unwrap_err(),
        Code::BadUserInput
    );
    assert_eq!(
        reset(&globex, &token, "a new password").await.unwrap_err(),
        Code::Unauthenticated
    );
    let entered = reset(&acme, &token, "a new password").await.unwrap();
    assert!(is_admitted(&replica, &entered).await);
    becomes_refused(&replica, &before).await;
    for used in [&token, &second.token.as_str().to_owned()] {
        assert_eq!(
            reset(&acme, used, "yet another one").await.unwrap_err(),
            Code::Unauthenticated
        );
    }
    for _ in 0..5 {
        assert!(ask(&acme, "owner@acme.test").await.is_some());
    }
    assert!(
        ask(&acme, "owner@acme.test").await.is_none(),
        "so many mails, and no more"
    );
}

#[tokio::test]
async fn nothing_in_the_database_opens_a_door() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    let acme = at(&replica, "acme.localhost").await;
    let granted = log_in(&replica, &acme).await;
    let tenant = Some(acme.tenant().id);
    let reset = replica
        .registry
        .begin_reset(tenant, "owner@acme.test", &client())
        .await;
    let reset = reset.unwrap().unwrap().token.as_str().to_owned();
    let all = "select coalesce(string_agg(r::text, ' '), '') from ( \
        select s::text r from tenantry.sessions s union all select p::text from tenantry.password_resets p \
        union all select a::text from tenantry.audit_log a union all select c::text from tenantry.audit_changes c) all_rows";
    let row = test.superuser().await.query_one(all, &[]).await.unwrap();
    let rows: String = row.get(0);
    assert!(rows.len() > 100);
    for secret in [granted.access.as_str(), granted.refresh.as_str(), &reset] {
        assert!(!rows.contains(secret.trim_start_matches("tnr_").trim_start_matches("tnp_")));
    }
    let shown = format!("{granted:?} {:?}", Cookies::default());
    assert!(!shown.contains(granted.refresh.as_str()) && !shown.contains(granted.access.as_str()));
}

#[tokio::test]
async fn a_log_in_that_meets_a_change_of_the_password_leaves_no_session() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    let acme = at(&replica, "acme.localhost").await;
    // Another password has been chosen and all sessions have ended, and nobody else sees it yet.
    let psql = test.superuser().await;
    let change = "begin; update tenantry.accounts set password_hash = 'another one'; \
        delete from tenantry.sessions";
    psql.batch_execute(change).await.unwrap();
    let credentials = Credentials::Password {
        email: "owner@acme.test",
        password: "demo-password",
    };
    let client = client();
    let entered = replica.guard.log_in(&acme, credentials, &client);
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        psql.batch_execute("commit").await.unwrap();
    };
    let (entered, ()) = tokio::join!(entered, commit);
    assert_eq!(entered.unwrap_err().code, Code::Unauthenticated);
    let left = psql.query_one("select count(*) from tenantry.sessions", &[]);
    assert_eq!(left.await.unwrap().get::<_, i64>(0), 0);
}
