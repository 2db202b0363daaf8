//! Black-box and whole-tree tests: one binary, one module a topic. (The attribute tells the lints that helpers are tests too.)

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod api;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod compose;
#[cfg(test)]
mod content;
#[cfg(test)]
mod database;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod employee_pages;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod golden_events;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod log_cli;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod officer_pages;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod program;
#[cfg(test)]
mod protection;
#[cfg(test)]
mod read_log;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod service_status;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod standby;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod wages;
