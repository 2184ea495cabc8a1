-- The people of a tenant, beside the app's own tables so that those can refer to them.
create table users (
  id uuid default gen_random_uuid() constraint tenantry_users_pkey primary key,
  email text not null constraint tenantry_users_email_key unique,
  name text not null,
  role text not null default 'member' constraint tenantry_users_role_check check (role in ('owner', 'admin', 'member', 'viewer')),
  avatar_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table users is '@users A person who works in this tenant.';
comment on column users.id is 'Identifies the person; the same in every tenant the person belongs to.';
comment on column users.email is 'The address the person logs in with.';
comment on column users.name is 'What the person is called.';
comment on column users.role is 'What the person may do: owner, admin, member or viewer.';
comment on column users.avatar_url is 'Where a picture of the person is found.';
comment on column users.created_at is 'When the person joined.';
comment on column users.updated_at is 'When the profile changed last.';
