// Registers the conformance cases with Catch2.
#include "storage_fixture.h"

namespace vouch::tests {
namespace {

class Invoker final : public Catch::ITestInvoker {
 public:
  Invoker(conformance::StorageCase one, MakeStorage make) : case_(one), make_(std::move(make)) {}
  void invoke() const override {
    INFO(case_.sentence);
    try {
      const auto under_test = make_();
      case_.run(*under_test);
      SUCCEED();
    } catch (const conformance::CaseSkipped& skipped) {
      WARN("skipped: " << skipped.what());
    }
  }

 private:
  conformance::StorageCase case_;
  MakeStorage make_;
};

}  // namespace

StorageTests::StorageTests(const std::string& fixture, MakeStorage make) {
  for (const conformance::StorageCase& one : conformance::storage_cases()) {
    const std::string name = fixture + ": " + one.id;
    const Catch::AutoReg registered(new Invoker(one, make), CATCH_INTERNAL_LINEINFO,
                                    Catch::StringRef(), Catch::NameAndTags{name, "[conformance]"});
  }
}

}  // namespace vouch::tests
