//! Who may do what: the smart comments `@read`, `@write`, `@execute` and `@public`, as rules.
//!
//! A column's own mark goes before its table's, and the table's before what holds otherwise: whoever
//! has a token reads, and members write.

use super::comment::{Comment, Marks};
use super::declared::DeclarationError;
use super::function_types::{Function, FunctionId};
use super::types::{Column, ColumnId, Model, Relation, RelationId, RelationKind};

/// What somebody is in a tenant, and so what something takes: each may do what those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Has no token.
    Stranger,
    Viewer,
    Member,
    Admin,
    Owner,
}

impl Standing {
    /// The word for it in comments and errors.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stranger => "public",
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// What the use of each table, column and function takes.
#[derive(Debug)]
pub struct AccessRules {
    relations: Vec<RelationRules>,
    functions: Vec<Standing>,
}

#[derive(Debug)]
struct RelationRules {
    /// To learn which rows there are: whoever may read any column.
    rows: Standing,
    /// To add rows, and to remove them.
    write: Standing,
    /// To read and to write each column.
    columns: Vec<(Standing, Standing)>,
}

impl AccessRules {
    /// Fails where a comment names a role that does not exist, or that cannot do such a thing.
    pub fn of(model: &Model) -> Result<Self, DeclarationError> {
        let relations = model.relations.iter().map(RelationRules::of);
        let functions = model.functions.iter().map(execute);
        Ok(Self {
            relations: relations.collect::<Result<_, _>>()?,
            functions: functions.collect::<Result<_, _>>()?,
        })
    }

    pub fn rows(&self, relation: RelationId) -> Standing {
        self.relations[relation.0].rows
    }

    pub fn write(&self, relation: RelationId) -> Standing {
        self.relations[relation.0].write
    }

    pub fn read_column(&self, relation: RelationId, column: ColumnId) -> Standing {
        self.relations[relation.0].columns[column.0].0
    }

    pub fn write_column(&self, relation: RelationId, column: ColumnId) -> Standing {
        self.relations[relation.0].columns[column.0].1
    }

    pub fn execute(&self, function: FunctionId) -> Standing {
        self.functions[function.0]
    }
}

impl RelationRules {
    fn of(relation: &Relation) -> Result<Self, DeclarationError> {
        let place = Place {
            name: relation.name.as_str().to_owned(),
            comment: &relation.comment,
        };
        place.refuse_execute()?;
        let marked = place.read()?;
        let read = match (marked, relation.kind) {
            (Some(standing), _) => standing,
            // Such rows come from functions only, which have marks of their own.
            (None, RelationKind::Composite | RelationKind::Result) => Standing::Stranger,
            (None, _) => Standing::Viewer,
        };
        let write = place.write()?.unwrap_or(Standing::Member);
        let columns = relation.columns.iter().map(|column| {
            let place = Place {
                name: format!("{}.{}", relation.name.as_str(), column.name.as_str()),
                comment: &column.comment,
            };
            if column.computed.is_some() {
                return Ok((computed(&place, read)?, Standing::Owner));
            }
            place.refuse_execute()?;
            let (own_read, own_write) = (place.read()?, place.write()?);
            Ok((own_read.unwrap_or(read), own_write.unwrap_or(write)))
        });
        let columns: Vec<_> = columns.collect::<Result<_, _>>()?;
        let is_own = |(column, _): &(&Column, _)| column.computed.is_none() && !column.comment.omit;
        let own = relation.columns.iter().zip(&columns).filter(is_own);
        let rows = own.map(|(_, (read, _))| *read).min().unwrap_or(read);
        Ok(Self {
            rows,
            write,
            columns,
        })
    }
}

/// A function may look at more than the row it is given, so that it is not public with its table.
fn computed(place: &Place<'_>, row: Standing) -> Result<Standing, DeclarationError> {
    let standing = place.execute()?;
    Ok(standing.unwrap_or(row.max(Standing::Viewer)))
}

fn execute(function: &Function) -> Result<Standing, DeclarationError> {
    let place = Place {
        name: format!(
            "function {}({})",
            function.name.as_str(),
            function.signature
        ),
        comment: &function.comment,
    };
    let standing = place.execute()?;
    if !function.volatile {
        return Ok(standing.unwrap_or(Standing::Viewer));
    }
    match standing {
        Some(standing) if standing < Standing::Member => {
            let tag = match &function.comment.marks.execute {
                Some(role) => format!("execute {role}"),
                None => "public".to_owned(),
            };
            let problem = "a volatile function is a mutation, and those are for members: \
                declare it stable, or name member, admin or owner";
            Err(place.error(&tag, problem))
        }
        standing => Ok(standing.unwrap_or(Standing::Member)),
    }
}

/// What a comment is on.
struct Place<'m> {
    name: String,
    comment: &'m Comment,
}

impl Place<'_> {
    fn read(&self) -> Result<Option<Standing>, DeclarationError> {
        let Marks { read, public, .. } = &self.comment.marks;
        match (read, public) {
            (Some(role), true) => {
                let problem = "it is @public, too: say one of the two";
                Err(self.error(&format!("read {role}"), problem))
            }
            (Some(role), false) => self.role("read", role).map(Some),
            (None, public) => Ok(public.then_some(Standing::Stranger)),
        }
    }

    fn write(&self) -> Result<Option<Standing>, DeclarationError> {
        let Some(role) = &self.comment.marks.write else {
            return Ok(None);
        };
        match self.role("write", role)? {
            Standing::Viewer => {
                let problem = "viewers never write: name member, admin or owner";
                Err(self.error(&format!("write {role}"), problem))
            }
            standing => Ok(Some(standing)),
        }
    }

    fn execute(&self) -> Result<Option<Standing>, DeclarationError> {
        let Marks {
            read,
            write,
            execute,
            public,
        } = &self.comment.marks;
        for (tag, role) in [("read", read), ("write", write)] {
            if let Some(role) = role {
                let problem = format!("functions are executed: @execute {role}");
                return Err(self.error(&format!("{tag} {role}"), &problem));
            }
        }
        match (execute, public) {
            (Some(role), true) => {
                let problem = "it is @public, too: say one of the two";
                Err(self.error(&format!("execute {role}"), problem))
            }
            (Some(role), false) => self.role("execute", role).map(Some),
            (None, public) => Ok(public.then_some(Standing::Stranger)),
        }
    }

    fn refuse_execute(&self) -> Result<(), DeclarationError> {
        match &self.comment.marks.execute {
            None => Ok(()),
            Some(role) => {
                let problem = "only functions are executed: @read or @write";
                Err(self.error(&format!("execute {role}"), problem))
            }
        }
    }

    fn role(&self, tag: &str, word: &str) -> Result<Standing, DeclarationError> {
        let roles = [
            Standing::Viewer,
            Standing::Member,
            Standing::Admin,
            Standing::Owner,
        ];
        let known = roles.into_iter().find(|role| role.word() == word);
        known.ok_or_else(|| {
            let problem = "there is no such role: name owner, admin, member or viewer";
            self.error(&format!("{tag} {word}"), problem)
        })
    }

    fn error(&self, tag: &str, problem: &str) -> DeclarationError {
        DeclarationError {
            relation: self.name.clone(),
            tag: tag.trim_end().to_owned(),
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Standing::{Admin, Member, Owner, Stranger, Viewer};
    use super::*;
    use crate::model::{ColumnType, TypeKind};
    use crate::sql::Ident;

    fn model(comment: &str, columns: &[&str]) -> Model {
        let columns = columns.iter().enumerate().map(|(index, comment)| Column {
            computed: comment.contains("@execute").then(|| Ident::new("f")),
            comment: Comment::parse(Some(comment)),
            ..Column::bare(
                &format!("c{index}"),
                ColumnType::builtin(TypeKind::Int4, "int4"),
            )
        });
        let relation = Relation {
            comment: Comment::parse(Some(comment)),
            ..Relation::bare("t", RelationKind::Table, columns.collect())
        };
        Model {
            relations: vec![relation],
            ..Model::default()
        }
    }

    fn reads(comment: &str, columns: &[&str]) -> (Standing, Vec<Standing>) {
        let rules = AccessRules::of(&model(comment, columns)).unwrap();
        let rules = &rules.relations[0];
        (
            rules.rows,
            rules.columns.iter().map(|(read, _)| *read).collect(),
        )
    }

    #[test]
    fn a_columns_mark_goes_before_its_tables() {
        assert_eq!(reads("", &["", ""]), (Viewer, vec![Viewer, Viewer]));
        let columns = ["", "@read owner", "@read viewer", "@public"];
        let expected = vec![Admin, Owner, Viewer, Stranger];
        assert_eq!(reads("@read admin", &columns), (Stranger, expected));
        // Rows are there for whoever may read anything of them.
        assert_eq!(reads("@read admin", &[""]), (Admin, vec![Admin]));
        assert_eq!(reads("", &["@read admin"]), (Admin, vec![Admin]));
        let public = reads("@public", &["", "@read admin", "@execute viewer"]);
        assert_eq!(public, (Stranger, vec![Stranger, Admin, Viewer]));
    }

    #[test]
    fn writing_takes_a_member_or_more() {
        let rules = AccessRules::of(&model("@write admin", &["", "@write member"])).unwrap();
        let rules = &rules.relations[0];
        assert_eq!(rules.write, Admin);
        assert_eq!(rules.columns, [(Viewer, Admin), (Viewer, Member)]);
        let rules = AccessRules::of(&model("@public", &[""])).unwrap();
        assert_eq!(rules.relations[0].columns, [(Stranger, Member)]);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (table, column, expected) in [
            (
                "@read boss",
                "",
                "the comment on t has \"@read boss\": there is no such role: name owner, admin, member or viewer",
            ),
            (
                "",
                "@write",
                "the comment on t.c0 has \"@write\": there is no such role",
            ),
            ("", "@write viewer", "viewers never write"),
            ("@public @read admin", "", "say one of the two"),
            ("@execute admin", "", "only functions are executed"),
        ] {
            let error = AccessRules::of(&model(table, &[column])).unwrap_err();
            let told = if expected.starts_with("the comment") {
                error.to_string().starts_with(expected)
            } else {
                error.to_string().contains(expected)
            };
            assert!(told, "{error}");
        }
    }
}
