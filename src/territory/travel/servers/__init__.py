"""Travel by road from servers: OSRM and Valhalla over HTTP."""
