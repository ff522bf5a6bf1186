// Lookups in a view, and the making of its table. RFC 7871 §7.2.1 for scopes longer than the
// source. Thread rule: see view.h.
#include "policy/view.h"

#include <algorithm>
#include <utility>

#include "policy/view_impl.h"

namespace steerd::policy {

namespace {

/// What a hash of the prefix is made of (product.md §4.5).
constexpr std::uint8_t kHashedBits4 = 24;
constexpr std::uint8_t kHashedBits6 = 56;

template <typename Key>
Runs<Key> valued_runs(const Runs<Key>& cells, std::span<const std::uint32_t> value_of_cell) {
    Runs<Key> out;
    for (std::size_t i = 0; i < cells.starts.size(); ++i) {
        out.add(cells.starts[i], value_of_cell[cells.values[i]]);
    }
    return out;
}

/// REQUIRES: first > 0, last is not the last address.
Runs<Key6> overlaid(const Runs<Key6>& runs, Key6 first, Key6 last, std::uint32_t value) {
    Runs<Key6> out;
    std::size_t i = 0;
    for (; i < runs.starts.size() && runs.starts[i] < first; ++i) {
        out.add(runs.starts[i], runs.values[i]);
    }
    out.add(first, value);
    while (i < runs.starts.size() && runs.starts[i] <= last + 1) {
        ++i;
    }
    out.add(last + 1, runs.values[i - 1]);
    for (; i < runs.starts.size(); ++i) {
        out.add(runs.starts[i], runs.values[i]);
    }
    return out;
}

/// IPv6 as clients come: where an IPv4 address stands inside, the IPv4 table decides.
Runs<Key6> ipv6_runs(const Runs<Key6>& native, const Runs<Key4>& ipv4) {
    const std::uint32_t inside = ipv4.values.size() == 1 ? ipv4.values.front() : kMixed;
    const Key6 mapped = static_cast<Key6>(0xFFFF) << 32;
    const Key6 sixtofour = static_cast<Key6>(0x2002) << 112;
    return overlaid(overlaid(native, mapped, mapped + 0xFFFFFFFF, inside), sixtofour,
                    sixtofour + (static_cast<Key6>(1) << 112) - 1, inside);
}

template <typename Key>
bool uniform(const Trie<Key>& trie, const base::IpPrefix& prefix) noexcept {
    return trie.find(key_of<Key>(prefix.address())).depth <= prefix.length();
}

}  // namespace

ViewTable::ViewTable(const Cells& cells, std::span<const std::uint32_t> value_of_cell)
    : trie4_(valued_runs(cells.runs4, value_of_cell)),
      trie6_(ipv6_runs(valued_runs(cells.runs6, value_of_cell), trie4_.runs())),
      shorter4_(shorter(trie4_, cells.partials[0], value_of_cell)),
      shorter6_(shorter(trie6_, cells.partials[1], value_of_cell)) {}

template <typename Key>
ViewTable::Shorter ViewTable::shorter(const Trie<Key>& trie,
                                      std::span<const Cells::Partial> partials,
                                      std::span<const std::uint32_t> value_of_cell) {
    Shorter out;
    std::vector<std::uint32_t> open;  // those around the one at hand
    for (const Cells::Partial& partial : partials) {
        while (!open.empty() && !out.prefixes[open.back()].contains(partial.prefix)) {
            open.pop_back();
        }
        const std::uint32_t value = value_of_cell[partial.cell];
        const bool told = !open.empty() && out.values[open.back()] == value;
        if (told || uniform(trie, partial.prefix)) {
            continue;
        }
        const auto index = static_cast<std::uint32_t>(out.prefixes.size());
        out.prefixes.push_back(partial.prefix);
        out.parents.push_back(open.empty() ? kNone : open.back());
        out.values.push_back(value);
        open.push_back(index);
    }
    out.prefixes.shrink_to_fit();
    out.parents.shrink_to_fit();
    out.values.shrink_to_fit();
    return out;
}

template <typename Key>
ViewTable::Hit ViewTable::find_in(const Trie<Key>& trie, const Shorter& shorter,
                                  const base::IpPrefix& client) noexcept {
    const auto hit = trie.find(key_of<Key>(client.address()));
    if (hit.depth <= client.length()) {
        return {hit.value, hit.depth};
    }
    // The first partial has length 0 and is kept where the space has more than one value.
    const std::uint32_t at = longest_match(shorter.prefixes, shorter.parents, client);
    return {shorter.values[at], hit.depth};
}

ViewTable::Hit ViewTable::find(const base::IpPrefix& client) const noexcept {
    return client.address().is_v4() ? find_in(trie4_, shorter4_, client)
                                    : find_in(trie6_, shorter6_, client);
}

std::size_t ViewTable::memory_bytes() const noexcept {
    const auto of = [](const Shorter& shorter) {
        return shorter.prefixes.capacity() * (sizeof(base::IpPrefix) + 2 * sizeof(std::uint32_t));
    };
    return trie4_.memory_bytes() + trie6_.memory_bytes() + of(shorter4_) + of(shorter6_);
}

std::uint8_t scope_for(const base::NormalisedPrefix& client, const ClassHit& hit) noexcept {
    return static_cast<std::uint8_t>(hit.scope + client.offset);
}

View::View(std::unique_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

View::~View() = default;

namespace {

ClassHit hit_of(const View::Impl& impl, const ViewTable::Hit& hit,
                std::uint8_t hashed_bits) noexcept {
    const bool joint = !impl.class_of_value.empty();
    const std::uint32_t id = joint ? impl.class_of_value.data()[hit.value] : hit.value;
    const bool hashed = impl.hashed.data()[id] != 0;
    return {ClassId{id}, hashed ? std::max(hit.depth, hashed_bits) : hit.depth};
}

}  // namespace

ClassHit View::lookup(const base::IpPrefix& client) const noexcept {
    const ViewTable::Hit hit = impl_->table->find(client);
    if (hit.value == kMixed) {  // only a client that was not normalised
        return lookup(base::normalised(client).prefix);
    }
    return hit_of(*impl_, hit, client.address().is_v4() ? kHashedBits4 : kHashedBits6);
}

ClassHit View::lookup4(std::uint32_t address, unsigned length) const noexcept {
    return hit_of(*impl_, impl_->table->find4(address, length), kHashedBits4);
}

std::size_t View::read_ahead4(std::span<const std::uint32_t> addresses) const noexcept {
    return impl_->table->read_ahead4(addresses);
}

ClassHit View::lookup_given(const base::IpPrefix& client) const noexcept {
    if (client.address().is_v4()) {
        return lookup(client);
    }
    const base::NormalisedPrefix inner = base::normalised(client);
    ClassHit hit = lookup(inner.prefix);
    if (inner.offset != 0 && hit.scope == 0) {
        // All of IPv4 is one class: how far that reaches around it, IPv6's table knows.
        hit.scope = impl_->table->find(client).depth;
    } else if (inner.offset != 0) {
        hit.scope = scope_for(inner, hit);
    } else if (!client.address().is_v4() && hit.scope > client.length()) {
        // A source too short to show that its first address has an IPv4 address inside.
        const base::NormalisedPrefix first =
            base::normalised(base::IpPrefix(client.address(), 128));
        const std::uint8_t depth = first.offset == 0 ? 0 : impl_->table->find(first.prefix).depth;
        if (depth != 0) {
            hit.scope = std::max(hit.scope, static_cast<std::uint8_t>(first.offset + depth));
        }
    }
    return hit;
}

namespace {

/// The words of one class for one slot; nothing in it is checked, this is asked for each answer.
auto words_of(const View::Impl& impl, ClassId id, const SlotLayout& slot) noexcept {
    return std::span(impl.classes.data() + config::index(id) * impl.words + slot.offset, slot.size);
}

}  // namespace

LatencyOrder View::latency(ClassId id, std::uint32_t view_slot) const noexcept {
    const SlotLayout& slot = impl_->slots.data()[view_slot];
    const auto words = words_of(*impl_, id, slot);
    const std::size_t regions = slot.size / 2;
    return {{words.data(), regions}, {words.data() + regions, regions}};
}

GeoWalk View::geo(ClassId id, std::uint32_t view_slot) const noexcept {
    const auto words = words_of(*impl_, id, impl_->slots.data()[view_slot]);
    const auto* const at = words.data();
    return {{at + 2, at[0]}, at[1] != 0};
}

bool View::hashed(ClassId id) const noexcept { return impl_->hashed[config::index(id)] != 0; }

std::size_t View::class_count() const noexcept { return impl_->hashed.size(); }

std::size_t View::memory_bytes() const noexcept {
    const std::size_t own = impl_->class_of_value.empty() ? impl_->table->memory_bytes() : 0;
    return own + impl_->class_of_value.capacity() * sizeof(std::uint32_t) +
           impl_->classes.capacity() * sizeof(ClassWord) + impl_->hashed.capacity();
}

const std::string& View::shape_key() const noexcept { return impl_->shape_key; }

}  // namespace steerd::policy
