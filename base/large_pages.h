// Asks the kernel to hold memory in large pages (2 MiB on the common machines).
//
// Why: tables of millions of entries are read at random places, and with pages of 4 KiB each read
// pays for finding its page besides its own cache miss. Only whole large pages inside the range are
// meant, so memory does not grow. What the kernel cannot or may not do stays as it is: a wish,
// never an error. Thread rule: any thread; the memory may be read meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace steerd::base {

/// To be called once the memory is full: pages that were never touched would be made real.
void use_large_pages(void* memory, std::size_t octets) noexcept;

template <typename T>
void use_large_pages(std::vector<T>& values) noexcept {
    use_large_pages(values.data(), values.size() * sizeof(T));
}

/// The same for much that is small and lies about the heap: what is added up to half of a large
/// page or more gets one, with all that lies between.
class LargePages {
  public:
    void add(const void* memory, std::size_t octets);
    void use() const noexcept;

  private:
    std::unordered_map<std::uintptr_t, std::size_t> octets_;  // by where the large page begins
};

}  // namespace steerd::base
