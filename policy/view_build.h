// Classes of a shape over the cells of the world, and all views of a plan from its trees.
// Thread rule: load plane, one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/problem.h"
#include "policy/classify.h"
#include "policy/plan.h"
#include "policy/view_cells.h"
#include "policy/view_impl.h"
#include "policy/view_shape.h"

namespace steerd::policy {

/// The classes that occur, each once: what a client of the class sees.
struct Classes {
    std::vector<ClassWord> words;        // class after class, shape.words each
    std::vector<std::uint8_t> hashed;    // by class
    std::vector<std::uint32_t> of_cell;  // by index into Cells::cells
};

[[nodiscard]] Classes classify_cells(const ViewShape& shape, const Cells& cells,
                                     Estimates& estimates, const geo::World& world);

/// Puts one class for those that decide alike under every health, where that can be found out
/// exactly within bounds (view_merge.cc); sets `hashed`. Never joins what could differ. What it
/// evaluates is taken from `evaluations_left`.
void merge_alike(const ViewShape& shape, Classes& classes, std::uint64_t& evaluations_left);

struct ViewsInput {
    const config::Model& model;
    const geo::World& world;
    const Plan* previous = nullptr;  // over the same world, or null
    std::size_t bytes_max = 0;       // for all tables together
};

/// Fills plan.views and the view of each tree. REQUIRES: endpoints, trees and steered are there.
void make_views(const ViewsInput& input, Plan& plan, base::Problems& problems);

}  // namespace steerd::policy
