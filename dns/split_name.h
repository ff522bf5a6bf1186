// A name with where each of its labels begins: made once for a name that is looked up in several
// tables, so that no suffix is counted or searched for twice. Not owning, like NameView. Read in
// the header, since every query begins with it. RFC 1035 §2.3.4, §3.1. Deliberately follows no
// pointer. Thread rule: one owner, on the stack. No allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dns/name.h"

namespace steerd::dns {

class SplitName {
  public:
    /// No name until read() or assign() was there.
    SplitName() noexcept : octets_(nullptr), size_(0), labels_(0) {}

    explicit SplitName(NameView name) noexcept { assign(name); }

    /// The uncompressed name at the start of `data`: its octets, or 0 as NameView::parse_wire().
    [[nodiscard]] std::size_t read(std::span<const std::uint8_t> data) noexcept {
        constexpr std::size_t kMaxLabelSize = 63;
        const std::uint8_t* const octets = data.data();
        const std::size_t end = std::min(data.size(), kMaxNameSize);
        if (end == 0) {
            return 0;
        }
        std::size_t count = 0;
        std::size_t i = 0;
        while (octets[i] != 0) {
            // The root has to fit behind each label, so that there are at most kMaxLabels.
            const std::size_t next = i + 1U + octets[i];
            if (octets[i] > kMaxLabelSize || next >= end) {
                return 0;
            }
            at_[count++] = static_cast<std::uint8_t>(i);
            i = next;
        }
        octets_ = octets;
        size_ = i + 1;
        labels_ = count;
        return size_;
    }

    void assign(NameView name) noexcept { (void)read(name.octets()); }

    // All below REQUIRE a name.

    [[nodiscard]] NameView view() const noexcept {
        return NameView(std::span<const std::uint8_t>(octets_, size_));
    }

    /// Labels without the root.
    [[nodiscard]] std::size_t label_count() const noexcept { return labels_; }

    /// The last `labels` labels. REQUIRES: labels <= label_count().
    [[nodiscard]] NameView suffix(std::size_t labels) const noexcept {
        const std::size_t at = labels == 0 ? size_ - 1U : at_[labels_ - labels];
        return NameView(std::span<const std::uint8_t>(octets_ + at, size_ - at));
    }

  private:
    const std::uint8_t* octets_;
    std::size_t size_;
    std::size_t labels_;
    std::array<std::uint8_t, kMaxLabels> at_;  // the first labels_ of them
};

}  // namespace steerd::dns
