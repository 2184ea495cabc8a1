-- When tenants were last active is known from their sessions and from the audit log.
drop table tenantry.activity;
