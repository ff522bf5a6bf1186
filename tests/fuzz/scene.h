// A configuration with every policy over a zone with every kind of name, compiled, for the fuzz
// targets that need a server's view of the world. Thread rule: made once, then immutable.
#pragma once

#include <vector>

#include "policy/snapshot.h"

namespace steerd::fuzz {

/// Everything up; some of it less so, changes under way; nothing left.
[[nodiscard]] std::vector<policy::Snapshot> snapshots();

}  // namespace steerd::fuzz
