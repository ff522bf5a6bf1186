// MADV_COLLAPSE (Linux 6.1) puts what is there into large pages at once; where it is unknown,
// MADV_HUGEPAGE alone leaves it to the kernel's own time. So does a thread at idle priority: while
// pages are collapsed the threads that answer were seen to wait 5 ms (bench/peers, reload: p99
// 4,900 us with it, 60 to 300 without). Thread rule: see large_pages.h.
#include "base/large_pages.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>

namespace steerd::base {

namespace {

constexpr std::uintptr_t kLargePage = std::uintptr_t{2} << 20;
#ifdef MADV_COLLAPSE
constexpr int kCollapse = MADV_COLLAPSE;
#else
constexpr int kCollapse = 25;  // glibc 2.36 does not name it
#endif

/// A table that is read anew beside threads that answer is filled at idle priority.
bool others_must_not_wait() noexcept { return ::sched_getscheduler(0) == SCHED_IDLE; }

void advise(void* pages, std::size_t octets) noexcept {
    if (::madvise(pages, octets, MADV_HUGEPAGE) == 0 && !others_must_not_wait()) {
        static_cast<void>(::madvise(pages, octets, kCollapse));
    }
}

}  // namespace

void use_large_pages(void* memory, std::size_t octets) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): arithmetic on an address
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t first = (begin + kLargePage - 1) & ~(kLargePage - 1);
    const std::uintptr_t last = (begin + octets) & ~(kLargePage - 1);
    if (memory == nullptr || first >= last) {
        return;
    }
    advise(static_cast<std::byte*>(memory) + (first - begin), last - first);
}

void LargePages::add(const void* memory, std::size_t octets) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): arithmetic on an address
    auto at = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t end = at + octets;
    while (at < end) {
        const std::uintptr_t page = at & ~(kLargePage - 1);
        const std::uintptr_t next = std::min(end, page + kLargePage);
        octets_[page] += next - at;
        at = next;
    }
}

void LargePages::use() const noexcept {
    for (const auto& [page, octets] : octets_) {
        if (octets >= kLargePage / 2) {
            // NOLINTNEXTLINE: an address that add() was given a part of; the kernel checks it
            advise(reinterpret_cast<void*>(page), kLargePage);
        }
    }
}

}  // namespace steerd::base
