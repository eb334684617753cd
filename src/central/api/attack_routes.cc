// ATT&CK's names, and their import.
#include "central/api/handlers.h"
#include "rules/attack/matrix.h"

namespace redoubt::central {

namespace {

class BundleBody final : public BodySink {
 public:
  explicit BundleBody(AttackNames& names) : names_(names) {}

  Status write(std::string_view bytes) override {
    if (bundle_.size() + bytes.size() > rules::attack::kBundleBytesMax) {
      return fail(Errc::too_large, "body: larger than an ATT&CK bundle may be");
    }
    bundle_ += bytes;
    return {};
  }
  Response finish() override {
    const Status done = names_.import(bundle_);
    return done ? Response{.body = names_.json()} : error_response(done.error());
  }

 private:
  AttackNames& names_;
  std::string bundle_;
};

}  // namespace

Response get_attack(Services& services, const Request&) { return {.body = services.attack.json()}; }

Result<std::unique_ptr<BodySink>> import_attack(Services& services, const Request&) {
  return std::make_unique<BundleBody>(services.attack);
}

}  // namespace redoubt::central
