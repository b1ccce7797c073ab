//! What the crate promises, tried on our example packages, real packages and hostile ones.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod descriptor;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
#[cfg(test)]
mod types;
