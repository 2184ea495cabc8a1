-- Labels, and which issues wear them.

create domain hex_color as text check (value ~ '^#[0-9A-Fa-f]{6}$');

create table labels (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name ~ '\S'),
  color hex_color not null default '#808080',
  description text not null default '',
  created_at timestamptz not null default now()
);

create table issue_labels (
  issue_id uuid not null references issues on delete cascade,
  label_id uuid not null references labels on delete cascade,
  primary key (issue_id, label_id)
);

create index issue_labels_label_id_idx on issue_labels (label_id);

comment on domain hex_color is 'A colour as # and six hexadecimal digits, such as #d73a4a.';
comment on table labels is 'A word that sorts issues across projects, such as bug.';
comment on column labels.name is 'The word itself; no two labels share one.';
comment on column labels.color is 'Its colour as # and six hexadecimal digits, such as #d73a4a.';
comment on column labels.description is 'When to use the label.';
comment on column labels.created_at is '@readonly
When the label was made.';
comment on table issue_labels is 'That an issue wears a label.';
