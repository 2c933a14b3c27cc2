"""Geometry on the sphere: distances, a local plane, adjacency of points, and territories as polygons.

Longitude comes before latitude, both in degrees (WGS 84); lengths are metres. The submodules are imported
one by one, so that whoever needs a distance does not pay for polygons::

    sphere       great circles, unit vectors, mean position      numpy
    projection   the local plane and back                        numpy
    adjacency    which points are neighbours, and fragments      scipy
    polygons     territories as polygons for maps                scipy, shapely
    rings        cutting at the antimeridian, orientation        shapely
    colouring    neighbouring territories in different colours   numpy
"""
