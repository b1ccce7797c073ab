//! What facts lead to.

use super::*;
