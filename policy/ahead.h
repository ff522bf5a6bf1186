// Reading ahead for a batch: what the answers will need of the large tables is fetched for all
// queries together, before the first is answered. An answer among many zones, or for a client in a
// large database, reads places that each tell where the next one is; alone it waits for memory at
// each, in a batch the waits fall together. A hint in front of the one door (answer.h): what it
// leaves out, or takes for something else than the answer does, costs time and changes nothing.
// Deliberately judges no query and writes nothing. Thread rule: as answer.h.
#pragma once

#include <cstddef>
#include <span>

#include "policy/answer.h"

namespace steerd::policy {

/// What it came to the end of.
struct Ahead {
    std::size_t names = 0;
    std::size_t clients = 0;  // in each view
};

/// REQUIRES: the queries are answered from this snapshot. More than 8 gain nothing from it.
Ahead read_ahead(const Snapshot& snapshot, std::span<const Request> batch) noexcept;

/// Load time: notes in the plan which views read_ahead() looks at. REQUIRES: the views are there.
void note_far_views(Plan& plan);

}  // namespace steerd::policy
