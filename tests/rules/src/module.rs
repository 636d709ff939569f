//! The modules of a crate, and which of them name which.
//!
//! Owns how a path finds its module. Must not know which modules may name
//! which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::path::{Named, named};
use crate::source::Source;

/// The place of a module in its crate; the root's is empty.
pub type Place = Vec<String>;

/// A module that has a file of its own.
#[derive(Debug)]
struct Module {
    path: PathBuf,
    named: Vec<Named>,
}

/// The modules of a crate that are shipped.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Place, Module>,
    /// All its files, those of tests too.
    files: BTreeSet<PathBuf>,
}

/// Siblings, one of which names the other or what lies in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who names.
    pub from: Place,
    /// Who is named.
    pub to: Place,
    /// Where it is said.
    pub evidence: String,
}

impl Crate {
    /// Reads the crate with this root file, named from the repository's root.
    pub fn read(root: &Path) -> Self {
        let mut found = Self::default();
        let folder = root.parent().unwrap_or(root).to_owned();
        found.walk(Place::new(), root.to_owned(), folder, true);
        found
    }

    /// All its files.
    pub fn files(&self) -> &BTreeSet<PathBuf> {
        &self.files
    }

    fn walk(&mut self, place: Place, path: PathBuf, folder: PathBuf, is_shipped: bool) {
        let source = Source::read(path.clone());
        let shipped = if is_shipped {
            source.shipped()
        } else {
            String::new()
        };
        for name in declared(&source.code) {
            let beside = folder.join(format!("{name}.rs"));
            let inside = folder.join(&name).join("mod.rs");
            let exists = |path: &PathBuf| crate::root().join(path).exists();
            let Some(file) = [beside, inside].into_iter().find(exists) else {
                continue;
            };
            let is_shipped = declared(&shipped).contains(&name);
            let mut child = place.clone();
            child.push(name.clone());
            self.walk(child, file, folder.join(&name), is_shipped);
        }
        self.files.insert(path.clone());
        if is_shipped {
            let named = named(&shipped);
            self.modules.insert(place, Module { path, named });
        }
    }

    /// Which siblings name which, once for each pair.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges: BTreeMap<(Place, Place), String> = BTreeMap::new();
        for (place, module) in &self.modules {
            for named in &module.named {
                let Some(target) = self.target(place, &named.parts) else {
                    continue;
                };
                let pairs = place.iter().zip(&target);
                let common = pairs.take_while(|(a, b)| a == b).count();
                if common == place.len() || common == target.len() {
                    // What lies above or below is no sibling.
                    continue;
                }
                let upto = |place: &Place| place[..=common].to_vec();
                let path = crate::source::name(&module.path);
                let said = format!("{path}:{} {}", named.line + 1, named.parts.join("::"));
                edges.entry((upto(place), upto(&target))).or_insert(said);
            }
        }
        let edge = |((from, to), evidence)| Edge { from, to, evidence };
        edges.into_iter().map(edge).collect()
    }

    /// The module that a path written in `place` leads to; what a module passes
    /// on from one below it counts as that one's.
    fn target(&self, place: &Place, parts: &[String]) -> Option<Place> {
        let (found, used) = self.descend(place, parts)?;
        let Some(next) = parts.get(used) else {
            return Some(found);
        };
        let module = self.modules.get(&found)?;
        let passed_on = module
            .named
            .iter()
            .find(|named| named.alias.as_ref() == Some(next));
        let origin = passed_on.and_then(|named| self.descend(&found, &named.parts));
        Some(origin.map_or(found, |(origin, _)| origin))
    }

    /// The module as far as a path leads, and how many of its parts are used.
    fn descend(&self, place: &Place, parts: &[String]) -> Option<(Place, usize)> {
        let mut at = place.clone();
        let mut used = 0;
        while let Some(part) = parts.get(used) {
            match part.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                name => {
                    let mut child = at.clone();
                    child.push(name.to_owned());
                    if !self.modules.contains_key(&child) {
                        // The first part names this crate, or it is another's.
                        return (used > 0).then_some((at, used));
                    }
                    at = child;
                }
            }
            used += 1;
        }
        Some((at, used))
    }
}

/// Modules declared in code that have files of their own.
fn declared(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code.lines() {
        let line = line.trim();
        let line = line.strip_suffix(';').unwrap_or_default();
        let name = line
            .rsplit_once("mod ")
            .map(|(before, name)| (before.trim(), name));
        if let Some((before, name)) = name
            && (before.is_empty() || before.starts_with("pub"))
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// Those edges that are part of a way from a module back to itself.
pub fn knots(edges: &[Edge]) -> Vec<&Edge> {
    let leads_back = |edge: &&Edge| {
        let mut reached = BTreeSet::from([&edge.to]);
        let mut ahead = vec![&edge.to];
        while let Some(at) = ahead.pop() {
            let from_here = edges.iter().filter(|next| next.from == *at);
            let new = from_here.filter(|next| reached.insert(&next.to));
            ahead.extend(new.map(|next| &next.to));
        }
        reached.contains(&edge.from)
    };
    edges.iter().filter(leads_back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(modules: &[(&str, &str)]) -> Crate {
        let place = |name: &str| -> Place {
            let parts = name.split('/').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let modules = modules.iter().map(|(name, code)| {
            let module = Module {
                path: format!("src/{name}.rs").into(),
                named: named(code),
            };
            (place(name), module)
        });
        Crate {
            modules: modules.collect(),
            files: BTreeSet::new(),
        }
    }

    fn shown(edges: &[Edge]) -> Vec<String> {
        let shown = |edge: &Edge| format!("{} > {}", edge.from.join("/"), edge.to.join("/"));
        edges.iter().map(shown).collect()
    }

    #[test]
    fn siblings_that_name_each_other_are_a_knot() {
        let krate = krate(&[
            ("", "pub use b::B;"),
            ("a", "use crate::B; use std::fmt; use super::d;"),
            ("b", "use crate::c::inner::C;"),
            ("c", "use inner::C;"),
            ("c/inner", "use super::X; fn f() { crate::a::g(); }"),
            ("d", ""),
        ]);
        let edges = krate.edges();
        assert_eq!(shown(&edges), ["a > b", "a > d", "b > c", "c > a"]);
        let knots: Vec<Edge> = knots(&edges).into_iter().cloned().collect();
        assert_eq!(shown(&knots), ["a > b", "b > c", "c > a"]);
        assert_eq!(knots[2].evidence, "src/c/inner.rs:1 crate::a::g");
    }

    #[test]
    fn one_way_is_no_knot() {
        let krate = krate(&[
            ("", "use a::A;"),
            ("a", "use crate::b; use crate::c;"),
            ("b", "use crate::c;"),
            ("c", "use crate::Root;"),
        ]);
        assert!(knots(&krate.edges()).is_empty());
    }

    #[test]
    fn declared_are_modules_with_files() {
        let code = "mod a;\n pub(crate) mod b;\nmod c {\n}\nlet mod_d;\n#[x] pub mod e;\n";
        assert_eq!(declared(code), ["a", "b"]);
    }
}
