"use strict";

SwaggerUIBundle({
  dom_id: "#explorer",
  url: "/docs/openapi.json",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  // The badge of a validator would send the address of this server to another host.
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
