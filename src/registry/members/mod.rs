//! Who belongs to a tenant, and as what: in the registry, and in step with it in the tenant's own table of users.

mod invitations;

use tokio_postgres::types::{ToSql, Type};

use crate::error::{Code, Failure};
use crate::names::{MemberRole, UserId};
use crate::registry::access::access_changed;
use crate::registry::{OwnerTransaction, Registry, RegistryError, Tenant};

pub(super) use invitations::Newcomer;
pub(crate) use invitations::{Acceptance, Invitation};

/// Somebody who belongs to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) user: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: MemberRole,
}

/// On whose behalf members are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Actor {
    /// None for keys and for support.
    pub(crate) user: Option<UserId>,
    /// As the request's token has it.
    pub(crate) role: MemberRole,
}

impl Registry {
    /// Gives a member another role.
    pub(crate) async fn change_role(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        user: UserId,
        role: MemberRole,
    ) -> Result<Member, Failure> {
        let actor = self.admit(transaction, tenant, actor).await?;
        let member = find(transaction, tenant, user)
            .await?
            .ok_or_else(no_member)?;
        may_change(actor, member.role)?;
        may_change(actor, role)?;
        if member.role == role {
            return Ok(member);
        }
        if member.role == MemberRole::Owner {
            keep_an_owner(transaction, tenant).await?;
        }
        self.write_role(transaction, tenant, user, role).await?;
        access_changed(transaction, &[tenant.id])
            .await
            .map_err(RegistryError::from)?;
        Ok(Member { role, ..member })
    }

    /// Makes somebody an owner, and the owner who says so an admin.
    pub(crate) async fn transfer_ownership(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        owner: UserId,
        heir: UserId,
    ) -> Result<Member, Failure> {
        let actor = Actor {
            user: Some(owner),
            role: MemberRole::Owner,
        };
        let role = self.admit(transaction, tenant, actor).await?;
        may_change(role, MemberRole::Owner)?;
        let heir = find(transaction, tenant, heir)
            .await?
            .ok_or_else(no_member)?;
        if heir.user == owner {
            return Err(Failure::bad_input("userId", "you are an owner already"));
        }
        self.write_role(transaction, tenant, heir.user, MemberRole::Owner)
            .await?;
        self.write_role(transaction, tenant, owner, MemberRole::Admin)
            .await?;
        access_changed(transaction, &[tenant.id])
            .await
            .map_err(RegistryError::from)?;
        Ok(Member {
            role: MemberRole::Owner,
            ..heir
        })
    }

    /// Takes a member out of the tenant. Their row in the tenant's own table stays, as what they wrote
    /// refers to it, and says since when. Whom they have invited, and who has not come yet, is not invited any more.
    pub(crate) async fn remove_member(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        user: UserId,
    ) -> Result<Member, Failure> {
        let role = self.admit(transaction, tenant, actor).await?;
        let member = find(transaction, tenant, user)
            .await?
            .ok_or_else(no_member)?;
        // Whoever wants to leave may.
        if actor.user != Some(user) {
            may_change(role, member.role)?;
        }
        if member.role == MemberRole::Owner {
            keep_an_owner(transaction, tenant).await?;
        }
        transaction
            .execute_typed(
                "with sessions as ( \
                   delete from tenantry.sessions where tenant_id = $1 and account_id = $2 \
                 ), invitations as ( \
                   delete from tenantry.invitations where tenant_id = $1 and invited_by = $2 \
                 ) \
                 delete from tenantry.memberships where tenant_id = $1 and account_id = $2",
                &[(&tenant.id.0, Type::UUID), (&user.0, Type::UUID)],
            )
            .await
            .map_err(RegistryError::from)?;
        let removed = "removed_at = now()";
        self.write_person(transaction, tenant, user, removed, &[])
            .await?;
        access_changed(transaction, &[tenant.id])
            .await
            .map_err(RegistryError::from)?;
        Ok(member)
    }

    /// Has changes of members come one after the other, and finds out which role the actor has now.
    pub(super) async fn admit(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
    ) -> Result<MemberRole, Failure> {
        // Two statements: one that waits for the lock goes on with the roles of before it waited.
        lock(transaction, tenant).await?;
        let now = transaction
            .query_typed_opt(
                "select role from tenantry.memberships where tenant_id = $1 and account_id = $2",
                &[
                    (&tenant.id.0, Type::UUID),
                    (&actor.user.map(|user| user.0), Type::UUID),
                ],
            )
            .await
            .map_err(RegistryError::from)?;
        let role = match actor.user {
            None => Some(actor.role),
            Some(_) => now
                .map(|row| Ok::<_, RegistryError>(row.try_get::<_, &str>(0)?.parse()?))
                .transpose()?,
        };
        role.ok_or_else(|| {
            Failure::new(Code::Forbidden, "you are no member of this tenant any more")
        })
    }

    /// Writes a role down, in the registry and in the tenant's own table. Invitations that it does not allow are taken back.
    async fn write_role(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        user: UserId,
        role: MemberRole,
    ) -> Result<(), RegistryError> {
        transaction
            .execute_typed(
                "with invitations as ( \
                   delete from tenantry.invitations where tenant_id = $1 and invited_by = $2 \
                     and not ($3 = 'owner' or $3 = 'admin' and role <> 'owner') \
                 ) \
                 update tenantry.memberships set role = $3 where tenant_id = $1 and account_id = $2",
                &[
                    (&tenant.id.0, Type::UUID),
                    (&user.0, Type::UUID),
                    (&role.as_str(), Type::TEXT),
                ],
            )
            .await?;
        let (set, role) = ("role = $2", role.as_str());
        self.write_person(transaction, tenant, user, set, &[(&role, Type::TEXT)])
            .await
    }

    /// Changes a row of the tenant's own table; values are `$2` and what follows.
    pub(in crate::registry) async fn write_person(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        user: UserId,
        set: &'static str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<(), RegistryError> {
        enter(transaction, tenant).await?;
        let (schema, users) = (tenant.schema.quoted(), &self.users_table);
        let update = format!("update {schema}.{users} set {set}, updated_at = now() where id = $1");
        let mut all: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&user.0, Type::UUID)];
        all.extend(values.iter().cloned());
        transaction.execute_typed(&update, &all).await?;
        Ok(())
    }
}

/// Waits for others who change the tenant's members, and has them wait.
pub(super) async fn lock(
    transaction: &OwnerTransaction,
    tenant: &Tenant,
) -> Result<(), RegistryError> {
    let lock = "select from tenantry.tenants where id = $1 for no key update";
    transaction
        .execute_typed(lock, &[(&tenant.id.0, Type::UUID)])
        .await?;
    Ok(())
}

/// Has triggers of the app find their tables, as in its migrations.
async fn enter(transaction: &OwnerTransaction, tenant: &Tenant) -> Result<(), RegistryError> {
    let path = format!("{}, extensions", tenant.schema.quoted());
    transaction
        .query_typed(
            "select set_config('search_path', $1, true), set_config('app.tenant_id', $2, true)",
            &[(&path, Type::TEXT), (&tenant.id.to_string(), Type::TEXT)],
        )
        .await?;
    Ok(())
}

async fn find(
    transaction: &OwnerTransaction,
    tenant: &Tenant,
    user: UserId,
) -> Result<Option<Member>, RegistryError> {
    let row = transaction
        .query_typed_opt(
            "select a.email, a.name, m.role from tenantry.memberships m \
             join tenantry.accounts a on a.id = m.account_id where m.tenant_id = $1 and m.account_id = $2",
            &[(&tenant.id.0, Type::UUID), (&user.0, Type::UUID)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Member {
        user,
        email: row.try_get(0)?,
        name: row.try_get(1)?,
        role: row.try_get::<_, &str>(2)?.parse()?,
    }))
}

/// Everything takes an admin, and what has to do with owners takes an owner.
pub(super) fn may_change(actor: MemberRole, role: MemberRole) -> Result<(), Failure> {
    if actor >= MemberRole::Admin && (actor == MemberRole::Owner || role != MemberRole::Owner) {
        return Ok(());
    }
    let (least, message) = match actor {
        MemberRole::Admin => (
            MemberRole::Owner,
            "what has to do with owners takes the role owner",
        ),
        _ => (
            MemberRole::Admin,
            "this takes the role admin or a higher one",
        ),
    };
    Err(Failure::takes_role(least.as_str(), message))
}

/// Refuses to take the last owner away. The tenant's row is locked, so that two owners do not leave at once.
async fn keep_an_owner(transaction: &OwnerTransaction, tenant: &Tenant) -> Result<(), Failure> {
    let row = transaction
        .query_typed_one(
            "select count(*) from tenantry.memberships where tenant_id = $1 and role = 'owner'",
            &[(&tenant.id.0, Type::UUID)],
        )
        .await
        .map_err(RegistryError::from)?;
    if row.try_get::<_, i64>(0).map_err(RegistryError::from)? > 1 {
        return Ok(());
    }
    let message = "a tenant has at least one owner: make somebody else one first";
    Err(Failure::new(Code::Conflict, message))
}

fn no_member() -> Failure {
    Failure::bad_input("userId", "nobody among the members has this id")
}
