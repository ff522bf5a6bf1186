// Asking for large pages: the memory holds what it held, whatever the range, and where the kernel
// can, a large range really lies in large pages.
#include "base/large_pages.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <string>

namespace steerd::base::testing {
namespace {

/// KiB in large pages, of all of this process.
long large_kib() {
    std::ifstream rollup("/proc/self/smaps_rollup");
    for (std::string word; rollup >> word;) {
        if (word == "AnonHugePages:") {
            long kib = 0;
            rollup >> kib;
            return kib;
        }
    }
    return -1;
}

/// Linux 6.1 was the first to do it at once.
bool kernel_would() {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string text;
    std::getline(file, text);
    utsname name{};
    int major = 0;
    int minor = 0;
    return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 1)) && !text.empty() &&
           text.find("[never]") == std::string::npos;
}

TEST(LargePages, HoldWhatTheMemoryHeld) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{1000},
                                    std::size_t{700'001}, std::size_t{4'000'003}}) {
        std::vector<std::uint32_t> values(count);
        std::iota(values.begin(), values.end(), 7U);
        use_large_pages(values);
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(values[i], i + 7);
        }
    }
    use_large_pages(nullptr, std::size_t{1} << 24);
}

TEST(LargePages, AreUsedWhereTheKernelCan) {
    const long before = large_kib();
    if (!kernel_would() || before < 0) {
        GTEST_SKIP() << "this kernel offers none";
    }
    std::vector<std::uint32_t> values(std::size_t{16} << 20, 1);
    use_large_pages(values);
    // Memory may be too scattered for some of it; then a later one is as good as none.
    EXPECT_GT(large_kib(), before) << "of 65536 KiB";
}

TEST(LargePages, AreUsedForWhatIsSmallAndLiesTogether) {
    const long before = large_kib();
    if (!kernel_would() || before < 0) {
        GTEST_SKIP() << "this kernel offers none";
    }
    std::vector<std::uint32_t> values(std::size_t{4} << 20, 5);
    LargePages few;
    LargePages many;
    for (std::size_t i = 0; i + 100 < values.size(); i += 100) {
        few.add(&values[i], 100);   // a quarter of each
        many.add(&values[i], 300);  // three quarters
    }
    few.use();
    EXPECT_EQ(large_kib(), before);
    many.use();
    EXPECT_GT(large_kib(), before);
    EXPECT_EQ(values, std::vector<std::uint32_t>(std::size_t{4} << 20, 5));
}

}  // namespace
}  // namespace steerd::base::testing
