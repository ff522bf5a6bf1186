// From shapes to views: those most used get a table of their own, the rest share one when memory
// would run over. Thread rule: see view_build.h.
#include "policy/view_build.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

namespace steerd::policy {

namespace {

/// Spent on the most used shapes first; some seconds at most, whatever the configuration.
constexpr std::uint64_t kEvaluations = 4'000'000;

/// What is read or used up while views are made.
struct Workshop {
    const Cells& cells;
    const geo::World& world;
    Estimates estimates;
    std::uint64_t evaluations_left = kEvaluations;
};

/// A shape, who has it, and what came of it.
struct Pending {
    ViewShape shape;
    std::vector<std::uint32_t> trees;
    std::size_t names = 0;
    std::shared_ptr<const View> view;
};

std::vector<Pending> distinct_shapes(const ViewsInput& input, const Plan& plan) {
    std::vector<std::size_t> names_of_tree(plan.trees.size());
    for (const SteeredName& name : plan.steered) {
        ++names_of_tree[config::index(name.tree)];
    }
    const std::vector<std::uint32_t> regions = regions_in(input.world, input.model);
    std::vector<Pending> out;
    std::unordered_map<std::string, std::size_t> at;
    for (std::uint32_t i = 0; i < plan.trees.size(); ++i) {
        if (!needs_view(plan.trees[i])) {
            continue;
        }
        ViewShape shape = make_shape(input.model, plan.endpoints, plan.trees[i], regions);
        const auto [found, fresh] = at.try_emplace(shape.key, out.size());
        if (fresh) {
            out.emplace_back().shape = std::move(shape);
        }
        Pending& pending = out[found->second];
        pending.trees.push_back(i);
        pending.names += names_of_tree[i];
    }
    return out;
}

void take_over(const Plan* previous, std::span<Pending> pending) {
    if (previous == nullptr) {
        return;
    }
    std::unordered_map<std::string, std::shared_ptr<const View>> views;
    for (const auto& view : previous->views) {
        views.emplace(view->shape_key(), view);
    }
    for (Pending& p : pending) {
        if (const auto found = views.find(p.shape.key); found != views.end()) {
            p.view = found->second;
        }
    }
}

Cells cells_for(const geo::World& world, std::span<const Pending> pending) {
    std::vector<base::IpPrefix> networks;
    for (const Pending& p : pending) {
        if (!p.view) {
            networks.insert(networks.end(), p.shape.networks.begin(), p.shape.networks.end());
        }
    }
    std::sort(networks.begin(), networks.end());
    networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
    return make_cells(world, std::move(networks));
}

std::shared_ptr<const View> make_view(const ViewShape& shape, std::string key, Classes classes,
                                      std::shared_ptr<const ViewTable> table,
                                      std::vector<std::uint32_t> class_of_value) {
    auto impl = std::make_unique<View::Impl>();
    impl->shape_key = std::move(key);
    impl->table = std::move(table);
    impl->class_of_value = std::move(class_of_value);
    impl->slots = shape.slots;
    impl->words = shape.words;
    impl->classes = std::move(classes.words);
    impl->hashed = std::move(classes.hashed);
    return std::make_shared<const View>(std::move(impl));
}

Classes classes_of(const ViewShape& shape, Workshop& workshop) {
    Classes classes = classify_cells(shape, workshop.cells, workshop.estimates, workshop.world);
    merge_alike(shape, classes, workshop.evaluations_left);
    return classes;
}

/// One table for all of `pending`: its values tell apart what any of the views tells apart.
void share_table(Workshop& workshop, std::span<Pending*> pending) {
    const Cells& cells = workshop.cells;
    std::vector<Classes> classes;
    std::vector<std::uint32_t> joint(cells.cells.size());
    std::size_t joint_count = 1;
    for (const Pending* p : pending) {
        const Classes& own = classes.emplace_back(classes_of(p->shape, workshop));
        std::unordered_map<std::uint64_t, std::uint32_t> finer;
        for (std::size_t cell = 0; cell < joint.size(); ++cell) {
            const std::uint64_t pair =
                static_cast<std::uint64_t>(joint[cell]) << 32 | own.of_cell[cell];
            joint[cell] =
                finer.try_emplace(pair, static_cast<std::uint32_t>(finer.size())).first->second;
        }
        joint_count = std::max<std::size_t>(finer.size(), 1);
    }
    const auto table = std::make_shared<const ViewTable>(cells, joint);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        std::vector<std::uint32_t> class_of_value(joint_count);
        for (std::size_t cell = 0; cell < joint.size(); ++cell) {
            class_of_value[joint[cell]] = classes[i].of_cell[cell];
        }
        // No key: its scopes are those of this company, so no later plan takes it over.
        pending[i]->view = make_view(pending[i]->shape, "", std::move(classes[i]), table,
                                     std::move(class_of_value));
    }
}

void build(const ViewsInput& input, std::span<Pending> pending, base::Problems& problems) {
    std::vector<Pending*> todo;
    std::size_t bytes = 0;
    for (Pending& p : pending) {
        if (p.view) {
            bytes += p.view->memory_bytes();
        } else {
            todo.push_back(&p);
        }
    }
    if (todo.empty()) {
        return;
    }
    std::stable_sort(todo.begin(), todo.end(),
                     [](const Pending* a, const Pending* b) { return a->names > b->names; });
    const Cells cells = cells_for(input.world, pending);
    Workshop workshop{cells, input.world, Estimates(input.world)};
    std::size_t next = 0;
    for (; next < todo.size(); ++next) {
        Pending& p = *todo[next];
        Classes classes = classes_of(p.shape, workshop);
        auto table = std::make_shared<const ViewTable>(cells, classes.of_cell);
        auto view = make_view(p.shape, p.shape.key, std::move(classes), std::move(table), {});
        const bool rest_could_share = next + 1 < todo.size();
        if (bytes + view->memory_bytes() > input.bytes_max && rest_could_share) {
            break;
        }
        bytes += view->memory_bytes();
        p.view = std::move(view);
    }
    if (next == todo.size()) {
        return;
    }
    const auto rest = std::span(todo).subspan(next);
    share_table(workshop, rest);
    const std::size_t names =
        std::accumulate(rest.begin(), rest.end(), std::size_t{0},
                        [](std::size_t sum, const Pending* p) { return sum + p->names; });
    problems.warning({input.model.file.string(), 0, 0},
                     "views would take over " + std::to_string(input.bytes_max >> 20) +
                         " MiB: the " + std::to_string(rest.size()) + " least used, of " +
                         std::to_string(names) +
                         " steered names, share one table, and their ECS scopes may be narrower "
                         "than they need to be");
}

}  // namespace

Classes classify_cells(const ViewShape& shape, const Cells& cells, Estimates& estimates,
                       const geo::World& world) {
    Classes out;
    out.of_cell.reserve(cells.cells.size());
    std::unordered_map<std::u32string, std::uint32_t> ids;
    std::vector<ClassWord> words(shape.words);
    std::u32string key;
    for (const Cell& cell : cells.cells) {
        classify(shape, estimates, world, cell.place, cells.within(cell), words);
        key.assign(words.begin(), words.end());
        const auto [at, fresh] = ids.try_emplace(key, static_cast<std::uint32_t>(ids.size()));
        if (fresh) {
            out.words.insert(out.words.end(), words.begin(), words.end());
            out.hashed.push_back(may_hash(shape, words) ? 1 : 0);
        }
        out.of_cell.push_back(at->second);
    }
    return out;
}

void make_views(const ViewsInput& input, Plan& plan, base::Problems& problems) {
    std::vector<Pending> pending = distinct_shapes(input, plan);
    take_over(input.previous, pending);
    build(input, pending, problems);
    for (const Pending& p : pending) {
        for (const std::uint32_t tree : p.trees) {
            plan.trees[tree].view = static_cast<std::uint32_t>(plan.views.size());
        }
        plan.views.push_back(p.view);
    }
}

}  // namespace steerd::policy
