//! What of the catalog makes a shape: all that sql/catalog/objects.sql prints something of, as it is stored.
//!
//! The first column of each statement is the oid of that which the rows are in or of. What others refer to has its own oid
//! in the second. The last columns may go without a [`Field`], if they are [`Field::Plain`].

/// Catalogs whose rows others refer to by their oids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Catalog {
    Schema,
    Role,
    Relation,
    Type,
    Function,
    Operator,
    OperatorClass,
    EnumValue,
    PrimaryKey,
    Collation,
    SearchConfiguration,
    SearchDictionary,
    /// Nothing refers to these.
    None,
}

impl Catalog {
    pub(super) const ALL: &[Self] = &[
        Self::Relation,
        Self::Type,
        Self::Function,
        Self::Operator,
        Self::OperatorClass,
        Self::EnumValue,
        Self::PrimaryKey,
        Self::Collation,
        Self::SearchConfiguration,
        Self::SearchDictionary,
        Self::Schema,
        Self::Role,
    ];
}

/// What a column has in it.
#[derive(Debug)]
pub(super) enum Field {
    /// What is the same for everybody, or a difference.
    Plain,
    /// One that may be the schema's own.
    Oid(Catalog),
    /// Text with oids in it.
    Expression,
    /// Text with the schema's name or the role's in it.
    Names,
}

#[derive(Debug)]
pub(super) struct Source {
    /// What the rows are: something to refer to, or nothing of that kind.
    pub(super) rows: Catalog,
    /// What they are in.
    pub(super) home: Catalog,
    pub(super) sql: &'static str,
    pub(super) fields: &'static [Field],
}

impl Source {
    pub(super) fn is_referred_to(&self) -> bool {
        self.rows != Catalog::None
    }

    /// Something that no other source has: rows of two are never alike.
    pub(super) fn name(&self) -> &'static str {
        self.sql
    }
}

const fn known(
    rows: Catalog,
    home: Catalog,
    sql: &'static str,
    fields: &'static [Field],
) -> Source {
    Source {
        rows,
        home,
        sql,
        fields,
    }
}

const fn content(home: Catalog, sql: &'static str, fields: &'static [Field]) -> Source {
    Source {
        rows: Catalog::None,
        home,
        sql,
        fields,
    }
}

use Catalog::{
    Collation, EnumValue, Function, Operator, OperatorClass, PrimaryKey, Relation, Schema,
    SearchConfiguration, SearchDictionary, Type,
};
use Field::{Expression, Names, Oid};

/// What has a name of its own in its schema.
pub(super) const KNOWN_BY_NAME: &[Source] = &[
    known(
        Relation,
        Schema,
        "select relnamespace, oid, relname from pg_class where relkind <> 't'",
        &[],
    ),
    known(
        Type,
        Schema,
        "select typnamespace, oid, typname from pg_type",
        &[],
    ),
    known(
        Collation,
        Schema,
        "select collnamespace, oid, collname, collencoding from pg_collation",
        &[],
    ),
    known(
        OperatorClass,
        Schema,
        "select opcnamespace, oid, opcname, opcmethod from pg_opclass",
        &[],
    ),
    known(
        SearchConfiguration,
        Schema,
        "select cfgnamespace, oid, cfgname from pg_ts_config",
        &[],
    ),
    known(
        SearchDictionary,
        Schema,
        "select dictnamespace, oid, dictname from pg_ts_dict",
        &[],
    ),
];

/// What has a type's name to it, too.
pub(super) const KNOWN_BY_TYPE: &[Source] = &[
    known(
        Function,
        Schema,
        "select pronamespace, oid, proargtypes::text, proname from pg_proc",
        &[Expression],
    ),
    known(
        Operator,
        Schema,
        "select oprnamespace, oid, oprleft, oprright, oprname from pg_operator",
        &[Oid(Type), Oid(Type)],
    ),
    known(
        EnumValue,
        Type,
        "select enumtypid, oid, enumlabel from pg_enum",
        &[],
    ),
    // What is grouped by one depends on it.
    known(
        PrimaryKey,
        Relation,
        "select conrelid, oid from pg_constraint where contype = 'p'",
        &[],
    ),
];

/// What others know by its name is here again, with all the rest of it. The long ones come first.
pub(super) const CONTENTS: &[Source] = &[
    content(
        Relation,
        // Columns of indexes may have parameters of their operator classes.
        "select a.attrelid, a.atttypid, a.attcollation, a.attacl::text, a.attnum, a.attname, a.atttypmod, a.attnotnull, \
                a.attidentity, a.attgenerated, a.attinhcount, a.attoptions \
              from pg_class c join pg_attribute a on a.attrelid = c.oid \
              where a.attnum > 0 and not a.attisdropped \
                and (c.relkind in ('r', 'p', 'f', 'v', 'm', 'c') or c.relkind in ('i', 'I') and a.attoptions is not null)",
        &[Oid(Type), Oid(Collation), Names],
    ),
    content(
        Relation,
        "select indrelid, indexrelid, indcollation::text, indclass::text, indexprs, indpred, indkey, indoption, indnkeyatts, \
                indisunique, indnullsnotdistinct, indisprimary, indisexclusion, indimmediate, indisvalid \
              from pg_index",
        &[Oid(Relation), Expression, Expression, Expression, Expression],
    ),
    content(
        Schema,
        "select connamespace, conrelid, contypid, conindid, confrelid, conexclop::text, conbin, conname, contype, conkey, \
                confkey, confupdtype, confdeltype, confmatchtype, confdelsetcols, condeferrable, condeferred, convalidated, \
                connoinherit, coninhcount, conparentid <> 0
              --18 , conenforced, conperiod
              from pg_constraint
              where contype in ('c', 'f', 'p', 'u', 'x') or contype = 'n' and not convalidated",
        &[Oid(Relation), Oid(Type), Oid(Relation), Oid(Relation), Expression, Expression],
    ),
    content(
        Relation,
        "select adrelid, adbin, adnum from pg_attrdef",
        &[Expression],
    ),
    content(
        Schema,
        "select pronamespace, proargtypes::text, proallargtypes::text, prorettype, provariadic, proargdefaults, prosqlbody, \
                protrftypes::text, proconfig::text, proacl::text, proname, proowner, prolang, procost, prorows, prosupport, prokind, \
                prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargdefaults, proargmodes, \
                proargnames, prosrc, probin \
              from pg_proc",
        &[Expression, Expression, Oid(Type), Oid(Type), Expression, Expression, Expression, Names, Names],
    ),
    content(
        Schema,
        "select relnamespace, reloftype, relpartbound, relacl::text, relname, relkind, relpersistence, relispartition, relowner, \
                relrowsecurity, relforcerowsecurity, relam, reloptions \
              from pg_class where relkind <> 't'",
        &[Oid(Type), Expression, Names],
    ),
    content(
        Relation,
        "select objoid, objsubid, description from pg_description where classoid = 'pg_class'::regclass",
        &[],
    ),
    content(
        Relation,
        "select ev_class, ev_qual, ev_action, rulename, ev_type, ev_enabled, is_instead from pg_rewrite",
        &[Expression, Expression],
    ),
    content(
        Relation,
        // References are kept by triggers of Postgres, which matter when somebody has disabled them.
        "select tgrelid, tgfoid, tgconstrrelid, tgconstrindid, tgqual, case when not tgisinternal then tgname end, tgtype, tgenabled, \
                tgparentid <> 0, tgconstraint <> 0, tgdeferrable, tginitdeferred, tgattr, tgargs, tgoldtable, tgnewtable \
              from pg_trigger where not tgisinternal or tgenabled = 'D'",
        &[Oid(Function), Oid(Relation), Oid(Relation), Expression],
    ),
    content(
        Schema,
        // All but the types of tables' rows and of arrays.
        "select t.typnamespace, t.typbasetype, t.typcollation, t.typdefaultbin, t.typdefault, t.typacl::text, t.typname, t.typtype, \
                t.typowner, t.typnotnull, t.typtypmod \
              from pg_type t left join pg_class c on c.oid = t.typrelid \
              where t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and c.relkind = 'c' or t.typtype = 'b' and t.typcategory <> 'A'",
        &[Oid(Type), Oid(Collation), Expression, Names, Names],
    ),
    content(
        Type,
        "select enumtypid, enumsortorder, enumlabel from pg_enum",
        &[],
    ),
    content(
        Type,
        "select rngtypid, rngsubtype, rngcollation, rngsubopc, rngcanonical, rngsubdiff from pg_range",
        &[Oid(Type), Oid(Collation), Oid(OperatorClass), Oid(Function), Oid(Function)],
    ),
    content(
        Function,
        "select aggfnoid::oid, aggtransfn, aggfinalfn, aggcombinefn, aggtranstype, agginitval from pg_aggregate",
        &[Oid(Function), Oid(Function), Oid(Function), Oid(Type)],
    ),
    content(
        Relation,
        "select polrelid, polroles::text, polqual, polwithcheck, polname, polcmd, polpermissive from pg_policy",
        &[Expression, Expression, Expression],
    ),
    content(
        Relation,
        "select seqrelid, seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle from pg_sequence",
        &[],
    ),
    content(
        Relation,
        // Whose column a sequence is of.
        "select d.objid, d.refobjid, d.refobjsubid, d.deptype \
              from pg_sequence s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid \
              where d.refclassid = 'pg_class'::regclass",
        &[Oid(Relation)],
    ),
    content(
        Relation,
        "select inhrelid, inhparent, inhseqno from pg_inherits",
        &[Oid(Relation)],
    ),
    content(
        Relation,
        "select partrelid, partclass::text, partcollation::text, partexprs, partstrat, partattrs from pg_partitioned_table",
        &[Expression, Expression, Expression],
    ),
    content(
        Relation,
        "select ftrelid, ftserver, ftoptions from pg_foreign_table",
        &[],
    ),
    content(
        Schema,
        "select oid, nspacl::text, nspowner from pg_namespace",
        &[Names],
    ),
    content(
        Schema,
        "select defaclnamespace, defaclacl::text, defaclrole, defaclobjtype from pg_default_acl",
        &[Names],
    ),
    content(
        Type,
        "select objoid, description from pg_description where classoid = 'pg_type'::regclass",
        &[],
    ),
    content(
        Function,
        "select objoid, description from pg_description where classoid = 'pg_proc'::regclass",
        &[],
    ),
    content(
        Schema,
        "select c.connamespace, c.conrelid, c.contypid, c.conname, d.description \
              from pg_description d join pg_constraint c on c.oid = d.objoid where d.classoid = 'pg_constraint'::regclass",
        &[Oid(Relation), Oid(Type)],
    ),
    content(
        Relation,
        "select t.tgrelid, t.tgname, d.description \
              from pg_description d join pg_trigger t on t.oid = d.objoid where d.classoid = 'pg_trigger'::regclass",
        &[],
    ),
    content(
        Relation,
        "select p.polrelid, p.polname, d.description \
              from pg_description d join pg_policy p on p.oid = d.objoid where d.classoid = 'pg_policy'::regclass",
        &[],
    ),
    // Seldom made.
    content(
        Operator,
        "select oid, oprcode from pg_operator",
        &[Oid(Function)],
    ),
    content(
        OperatorClass,
        "select oid from pg_opclass",
        &[],
    ),
    content(
        SearchConfiguration,
        "select oid from pg_ts_config",
        &[],
    ),
    content(
        SearchDictionary,
        "select oid from pg_ts_dict",
        &[],
    ),
    content(
        Collation,
        "select oid from pg_collation",
        &[],
    ),
];
