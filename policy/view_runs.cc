// A view's table from end to end, for those who walk all clients (forecast.h); a query asks
// lookup() in view.cc. Thread rule: see view.h.
#include "policy/view_impl.h"

namespace steerd::policy {

namespace {

/// REQUIRES: not kMixed.
ClassId class_of(const View::Impl& view, std::uint32_t value) noexcept {
    return ClassId{view.class_of_value.empty() ? value : view.class_of_value[value]};
}

}  // namespace

void View::for_each_run4(const std::function<void(std::uint32_t, ClassId)>& fn) const {
    const Runs<Key4>& runs = impl_->table->runs4();
    for (std::size_t i = 0; i < runs.starts.size(); ++i) {
        fn(runs.starts[i], class_of(*impl_, runs.values[i]));
    }
}

void View::for_each_run6(
    const std::function<void(std::uint64_t, std::uint64_t, ClassId)>& fn) const {
    const Runs<Key6>& runs = impl_->table->runs6();
    for (std::size_t i = 0; i < runs.starts.size(); ++i) {
        const bool mixed = runs.values[i] == kMixed;
        fn(static_cast<std::uint64_t>(runs.starts[i] >> 64),
           static_cast<std::uint64_t>(runs.starts[i]),
           mixed ? ClassId{0} : class_of(*impl_, runs.values[i]));
    }
}

}  // namespace steerd::policy
