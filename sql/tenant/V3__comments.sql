-- Comments, the conversation about an issue.

create table comments (
  id uuid primary key default gen_random_uuid(),
  issue_id uuid not null references issues on delete cascade,
  author_id uuid not null default tenantry.user_id() references users,
  body text not null check (body ~ '\S'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index comments_issue_id_created_at_idx on comments (issue_id, created_at);
create index comments_author_id_idx on comments (author_id);

create trigger comments_touch before update on comments for each row
  when (new.updated_at = old.updated_at) execute function touch_updated_at();

comment on table comments is 'Something that somebody said about an issue.';
comment on column comments.author_id is 'Who wrote the comment; the current user when omitted.';
comment on column comments.body is 'What was said, in Markdown.';
comment on column comments.created_at is '@readonly
When the comment was written.';
comment on column comments.updated_at is '@readonly
When the comment was last edited; equal to createdAt when it never was.';
